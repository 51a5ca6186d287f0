//! What an instance is given, and how it is told that it is given nothing.
//!
//! A stranger learns nothing here: an instance that is unknown, has ended, has another address, or whose time has
//! passed is one and the same 404. Only the instance itself hears that its package is not ready yet. A node asks again
//! until it has what it needs: it may well come up before AWS has said that it runs.

use std::net::IpAddr;

use handfast::{
    aws::InstanceId,
    code::Code,
    vocabulary::{Action, Answer, Authority, Command, Deliver, Delivered, Recipient, Refusal, Refused},
};

use super::{App, reply::Problem};

/// An instance asks for its package. It is proven by the address that the request came from.
pub(super) fn asks(instance: &str, source: Option<IpAddr>) -> Result<Command, Problem> {
    let instance = instance.parse::<InstanceId>().map_err(|_| Problem::not_found())?;
    let action = Action::Deliver(Deliver { to: Recipient::Instance { instance, identity: None } });
    Ok(Command { authority: Authority::Node, source, action })
}

impl App {
    /// Hands a package over to the instance it was issued for, the first time or again.
    pub(super) async fn hand_over(&self, command: Command) -> Result<Delivered, Problem> {
        let answer = self.host.run(command).await?;
        if let Answer::Refused(refused) = &answer {
            return Err(refuse(refused));
        }
        let Answer::Delivered(delivered) = answer else { return Err(Problem::unexpected(&answer)) };
        Ok(delivered)
    }
}

pub(super) fn refuse(refused: &Refused) -> Problem {
    if refused.refusal == Refusal::NotReady {
        return not_ready();
    }
    tracing::info!(code = %refused.code(), "refused an instance");
    Problem::not_found()
}

pub(super) fn not_ready() -> Problem {
    Problem::later(Code::NotReady, "your package is not ready yet")
}

/// The package holds nothing of what was asked for: an operator's mistake, of which the instance is told nothing.
pub(super) fn without(delivered: &Delivered, what: &str) -> Problem {
    tracing::error!(package = %delivered.package, "the package holds no {what}");
    Problem::not_found()
}
