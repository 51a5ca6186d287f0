//! Deliver: a package is handed over, once; the same recipient again within its window.

use super::{
    draft::{Draft, Step, refuse, refuse_unknown},
    instance,
};
use crate::{
    record::{DeliveredTo, Delivery, Key, Package, PackageContent, PackageStatus},
    vocabulary::{
        ActivatesOn, Answer, Authority, Deliver, Delivered, Error, Fact, GivenContent, Recipient, Refusal,
    },
};

pub(super) fn decide(draft: &mut Draft<'_>, deliver: &Deliver) -> Step<Answer> {
    match &deliver.to {
        Recipient::Operator { package } => {
            let Authority::Operator(name) = draft.authority else {
                return Err(Error::Misuse("only an operator receives as one").into());
            };
            let Some(package) = draft.package(*package)? else { return refuse_unknown(Refusal::Unknown) };
            hand_over(draft, &package, DeliveredTo::Operator { name: name.clone() })
        }
        Recipient::Instance { instance } => {
            let record = instance::prove(draft, instance)?;
            let Some(id) = record.package else {
                return refuse(Refusal::Unknown, Key::Instance(instance.clone()));
            };
            let Some(package) = draft.package(id)? else { return refuse_unknown(Refusal::Unknown) };
            let by_id_alone = draft.registrar.policy.instance_id_alone;
            hand_over(draft, &package, DeliveredTo::Instance { instance: instance.clone(), by_id_alone })
        }
    }
}

fn hand_over(draft: &mut Draft<'_>, package: &Package, to: DeliveredTo) -> Step<Answer> {
    let key = Key::Package(package.id);
    if !package.status.is_live() {
        return refuse(Refusal::Ended, key);
    }
    if package.status != PackageStatus::Activated && draft.is_past(package.issued.expires_at, &key)? {
        return refuse(Refusal::Expired, key);
    }
    if let Some(delivery) = &package.delivery {
        let again = delivery.to == to && package.delivery_open && !draft.is_past(delivery.until, &key)?;
        return if again { answer(draft, package, true) } else { refuse(Refusal::AlreadyDelivered, key) };
    }
    if !package.is_ready() {
        return refuse(Refusal::NotReady, key);
    }
    let until = draft.now().plus_seconds(draft.registrar.policy.redelivery_seconds);
    draft.emit(key.clone(), Fact::PackageDelivered { delivery: Delivery { to, until } })?;
    if package.issued.activates_on == ActivatesOn::Delivery {
        draft.emit(key, Fact::PackageActivated)?;
    }
    answer(draft, package, false)
}

fn answer(draft: &mut Draft<'_>, package: &Package, again: bool) -> Step<Answer> {
    let token = package.issued.token.as_ref().map(|token| draft.open(token.secret)).transpose()?;
    let contents = match package.issued.activates_on {
        ActivatesOn::Delivery => open_contents(draft, package)?,
        ActivatesOn::Redeem | ActivatesOn::CheckIn => Vec::new(),
    };
    Ok(Answer::Delivered(Delivered { package: package.id, token, contents, again }))
}

/// Opens everything that a package carries.
pub(super) fn open_contents(draft: &mut Draft<'_>, package: &Package) -> Step<Vec<GivenContent>> {
    let secrets: Vec<_> =
        package.issued.contents.iter().map(|content| Key::Secret(content.secret())).collect();
    draft.prefetch(&secrets)?;
    let open = |content: &PackageContent| match content {
        PackageContent::File { name, secret } => {
            Ok(GivenContent::File { name: name.clone(), content: draft.open(*secret)? })
        }
        PackageContent::KubernetesBootstrapToken { secret, expires_at } => {
            Ok(GivenContent::KubernetesBootstrapToken {
                token: draft.open(*secret)?,
                expires_at: *expires_at,
            })
        }
    };
    package.issued.contents.iter().map(open).collect()
}
