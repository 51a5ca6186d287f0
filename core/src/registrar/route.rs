//! Which authority may give which command, and who decides it.

use super::{
    ban, check_in, deliver,
    draft::{Draft, Step, refuse_unknown},
    expire, forget, instance, issue, redeem, reissue, resource, revoke, scope, subject,
};
use crate::vocabulary::{Action, Answer, Authority, Command, Recipient, Refusal};

pub(super) fn decide(draft: &mut Draft<'_>, command: &Command) -> Step<Answer> {
    if !is_permitted(&command.action, &command.authority) {
        return refuse_unknown(Refusal::NotAuthorized);
    }
    match &command.action {
        Action::Issue(issue) => issue::decide(draft, issue),
        Action::Deliver(deliver) => deliver::decide(draft, deliver),
        Action::MakeLink(make) => deliver::make_link(draft, make),
        Action::Reissue(reissue) => reissue::decide(draft, reissue),
        Action::Redeem(redeem) => redeem::decide(draft, redeem),
        Action::CheckIn(check_in) => check_in::decide(draft, check_in),
        Action::Leave(leave) => revoke::leave(draft, leave),
        Action::Evict(evict) => revoke::evict(draft, evict),
        Action::Ban(ban) => ban::ban(draft, ban),
        Action::Unban(unban) => ban::unban(draft, unban),
        Action::ResetRecoveries(reset) => ban::reset_recoveries(draft, reset),
        Action::Revoke(revoke) => revoke::package(draft, revoke),
        Action::ConfigureScope(configure) => scope::configure(draft, configure),
        Action::ChangePool(change) => scope::change_pool(draft, change),
        Action::ObserveSubject(observe) => subject::observe(draft, observe),
        Action::Expire(expire) => expire::decide(draft, expire),
        Action::Forget(forget) => forget::decide(draft, forget),
        Action::Report(report) => resource::decide(draft, report),
        Action::ObserveInstance(event) => instance::observe(draft, event),
    }
}

/// Who somebody is, without the name.
#[derive(PartialEq, Eq)]
enum Who {
    Operator,
    Executor,
    Node,
    Timer,
    Event,
}

/// The table of commands and authorities.
fn is_permitted(action: &Action, authority: &Authority) -> bool {
    let who = match authority {
        Authority::Operator(_) => Who::Operator,
        Authority::Executor(_) => Who::Executor,
        Authority::Node => Who::Node,
        Authority::Timer => Who::Timer,
        Authority::Event => Who::Event,
    };
    let allowed: &[Who] = match action {
        Action::Issue(_)
        | Action::MakeLink(_)
        | Action::Reissue(_)
        | Action::Evict(_)
        | Action::Ban(_)
        | Action::Unban(_)
        | Action::ResetRecoveries(_)
        | Action::Revoke(_)
        | Action::ConfigureScope(_)
        | Action::ChangePool(_) => &[Who::Operator],
        Action::Deliver(deliver) => match &deliver.to {
            Recipient::Operator { .. } => &[Who::Operator],
            Recipient::Link { .. } | Recipient::Instance { .. } | Recipient::ParentNode { .. } => {
                &[Who::Node]
            }
        },
        Action::Redeem(_) | Action::CheckIn(_) | Action::Leave(_) => &[Who::Node],
        Action::ObserveSubject(_) => &[Who::Executor, Who::Event],
        Action::Expire(_) => &[Who::Timer],
        Action::Forget(_) => &[Who::Operator, Who::Timer],
        Action::Report(_) => &[Who::Executor],
        Action::ObserveInstance(_) => &[Who::Event],
    };
    allowed.contains(&who)
}
