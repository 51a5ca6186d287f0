//! On whose behalf a command is given.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{ActorName, InvalidId, as_text};

/// Who asks, as the *host* authenticated it. Written `operator:<name>`, `executor:<worker>`, `node`, `timer` or `event`.
///
/// A host that copies this from a request body lets a stranger call itself an operator: derive it from the
/// credential that was checked, never from what the caller says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Authority {
    /// A person or service that administers packages.
    Operator(ActorName),
    /// A worker that performs effects and reports how they went.
    Executor(ActorName),
    /// An unauthenticated presenter: what it may do rests on the token or proof that it shows.
    Node,
    /// The host's own loop over deadlines.
    Timer,
    /// A verified event of the cloud.
    Event,
}

impl fmt::Display for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(name) => write!(formatter, "operator:{name}"),
            Self::Executor(worker) => write!(formatter, "executor:{worker}"),
            Self::Node => formatter.write_str("node"),
            Self::Timer => formatter.write_str("timer"),
            Self::Event => formatter.write_str("event"),
        }
    }
}

impl FromStr for Authority {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_once(':') {
            Some(("operator", name)) => Ok(Self::Operator(name.parse()?)),
            Some(("executor", worker)) => Ok(Self::Executor(worker.parse()?)),
            Some(_) => Err(INVALID),
            None => match text {
                "node" => Ok(Self::Node),
                "timer" => Ok(Self::Timer),
                "event" => Ok(Self::Event),
                _ => Err(INVALID),
            },
        }
    }
}

const INVALID: InvalidId =
    InvalidId::new("Authority", "operator:<name>, executor:<worker>, node, timer or event");

as_text!(Authority, "^(operator:.+|executor:.+|node|timer|event)$");
