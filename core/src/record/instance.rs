//! A cloud instance, as its cloud's signed events and API tell of it.

use serde::{Deserialize, Serialize};

use super::{Index, InstanceState, Lease};
use crate::{
    aws::{AccountId, InstanceId, Region},
    id::PackageId,
    time::Timestamp,
    vocabulary::{Description, Event, Fact, Reason},
};

/// A cloud instance. Once it is ended it stays as a tombstone, so that a late `running` finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// The account of its first event.
    pub account: AccountId,
    /// The region of its first event.
    pub region: Region,
    /// Its state.
    pub state: InstanceState,
    /// When the cloud says that it came into that state.
    pub state_at: Timestamp,
    /// When it was first heard of.
    pub created_at: Timestamp,
    /// The latest instant it has seen.
    pub updated_at: Timestamp,
    /// When it last began to run, by the cloud's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_at: Option<Timestamp>,
    /// Whether the cloud's API is to be asked about it.
    pub describe: bool,
    /// The number of the attempt that is outstanding or was last.
    pub attempt: u32,
    /// Who is asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Not to be asked before; set after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// Why it has no package: nobody answered yet, or no rule wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What the cloud's API said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// The package that was issued for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageId>,
}

/// Whether a state absorbs: nothing that is told of the instance afterwards counts.
pub(crate) fn is_final(state: InstanceState) -> bool {
    match state {
        InstanceState::ShuttingDown | InstanceState::Terminated => true,
        InstanceState::Pending
        | InstanceState::Running
        | InstanceState::Stopping
        | InstanceState::Stopped => false,
    }
}

impl Instance {
    /// Whether the API is to be asked, and not before when.
    #[must_use]
    pub fn due(&self) -> Option<Option<Timestamp>> {
        self.describe.then(|| self.retry_at.max(self.lease.as_ref().map(|lease| lease.until)))
    }

    pub(super) fn index(&self) -> Index {
        Index {
            status: Some(self.state.as_str()),
            wake_at: self.wake_at(),
            ..Index::new("instance", self.created_at)
        }
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.due().map(|due| due.unwrap_or(self.updated_at))
    }

    /// The record that the first event of an instance makes.
    pub(super) fn first(id: InstanceId, event: &Event) -> Option<Self> {
        let Fact::InstanceObserved { account, region, state, occurred_at, .. } = &event.fact else {
            return None;
        };
        let mut instance = Self {
            id,
            account: account.clone(),
            region: region.clone(),
            state: *state,
            state_at: *occurred_at,
            created_at: event.at,
            updated_at: event.at,
            running_at: None,
            describe: false,
            attempt: 1,
            lease: None,
            retry_at: None,
            reason: None,
            description: None,
            package: None,
        };
        instance.apply(event);
        Some(instance)
    }

    /// Takes in one fact. A fact that is not about instances changes nothing.
    pub(super) fn apply(&mut self, event: &Event) {
        self.updated_at = event.at;
        if let Fact::InstanceObserved { state, occurred_at, .. } = &event.fact {
            self.observe(*state, *occurred_at);
        } else if let Fact::InstanceDescribing { worker, until } = &event.fact {
            self.lease = Some(Lease { worker: worker.clone(), until: *until });
        } else if let Fact::InstanceDescribed { description } = &event.fact {
            self.description = Some(description.clone());
            self.asked(false, None, None);
        } else if let Fact::InstanceNotDescribed { reason, retry_at } = &event.fact {
            self.asked(retry_at.is_some(), Some(reason.clone()), *retry_at);
        } else if let Fact::InstancePassed { reason } = &event.fact {
            self.reason = Some(reason.clone());
        } else if let Fact::InstanceEnrolled { package } = &event.fact {
            self.package = Some(*package);
        }
    }

    fn observe(&mut self, state: InstanceState, occurred_at: Timestamp) {
        self.state = state;
        self.state_at = occurred_at;
        match state {
            InstanceState::Running => {
                self.running_at = Some(occurred_at);
                self.describe = self.package.is_none();
            }
            InstanceState::Pending => {}
            InstanceState::Stopping
            | InstanceState::Stopped
            | InstanceState::ShuttingDown
            | InstanceState::Terminated => {
                self.describe = false;
            }
        }
        self.lease = None;
        self.retry_at = None;
    }

    fn asked(&mut self, again: bool, reason: Option<Reason>, retry_at: Option<Timestamp>) {
        self.describe = again;
        self.attempt = self.attempt.saturating_add(1);
        self.lease = None;
        self.retry_at = retry_at;
        self.reason = reason;
    }
}
