//! Which authority may give which command, and who decides it.

use super::{
    check_in, deliver,
    draft::{Draft, Step, refuse_unknown},
    expire, instance, issue, redeem, resource, revoke,
};
use crate::vocabulary::{Action, Answer, Authority, Command, Recipient, Refusal};

pub(super) fn decide(draft: &mut Draft<'_>, command: &Command) -> Step<Answer> {
    if !is_permitted(&command.action, &command.authority) {
        return refuse_unknown(Refusal::NotAuthorized);
    }
    match &command.action {
        Action::Issue(issue) => issue::decide(draft, issue),
        Action::Deliver(deliver) => deliver::decide(draft, deliver),
        Action::Redeem(redeem) => redeem::decide(draft, redeem),
        Action::CheckIn(check_in) => check_in::decide(draft, check_in),
        Action::Revoke(revoke) => revoke::decide(draft, revoke),
        Action::Expire(expire) => expire::decide(draft, expire),
        Action::Report(report) => resource::decide(draft, report),
        Action::ObserveInstance(event) => instance::observe(draft, event),
    }
}

/// The table of commands and authorities.
fn is_permitted(action: &Action, authority: &Authority) -> bool {
    match (action, authority) {
        (Action::Issue(_) | Action::Revoke(_), Authority::Operator(_)) => true,
        (
            Action::Issue(_) | Action::Revoke(_),
            Authority::Node | Authority::Executor(_) | Authority::Timer | Authority::Event,
        ) => false,
        (Action::Deliver(deliver), authority) => match (&deliver.to, authority) {
            (Recipient::Operator { .. }, Authority::Operator(_))
            | (Recipient::Instance { .. }, Authority::Node) => true,
            (
                Recipient::Operator { .. } | Recipient::Instance { .. },
                Authority::Operator(_)
                | Authority::Node
                | Authority::Executor(_)
                | Authority::Timer
                | Authority::Event,
            ) => false,
        },
        (Action::Redeem(_) | Action::CheckIn(_), Authority::Node) => true,
        (
            Action::Redeem(_) | Action::CheckIn(_),
            Authority::Operator(_) | Authority::Executor(_) | Authority::Timer | Authority::Event,
        ) => false,
        (Action::Expire(_), Authority::Timer) => true,
        (
            Action::Expire(_),
            Authority::Operator(_) | Authority::Executor(_) | Authority::Node | Authority::Event,
        ) => false,
        (Action::Report(_), Authority::Executor(_)) => true,
        (
            Action::Report(_),
            Authority::Operator(_) | Authority::Node | Authority::Timer | Authority::Event,
        ) => false,
        (Action::ObserveInstance(_), Authority::Event) => true,
        (
            Action::ObserveInstance(_),
            Authority::Operator(_) | Authority::Executor(_) | Authority::Node | Authority::Timer,
        ) => false,
    }
}
