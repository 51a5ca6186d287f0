//! What may happen in a world. The small numbers choose among what exists at that moment, so that any list of steps is a
//! story, also one from which some were taken out.

use crate::dice::Dice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A host is asked for something. With `hold` it stops right before its commit.
    Ask { host: u8, ask: Ask, hold: bool, fate: Fate, trusted: bool },
    /// A host that stopped goes on.
    Resume { host: u8, fate: Fate },
    /// A host applies what is due.
    Timer { host: u8, trusted: bool },
    /// Time goes by.
    Wait { seconds: u32 },
    /// The clock is set back.
    Back { seconds: u32 },
    /// A worker takes an effect, does it and reports it.
    Work { effect: u16, worker: u8, way: Way },
    /// A worker goes on with something that it took.
    Job { job: u16, what: Going },
}

/// What becomes of a host around its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Lives,
    /// It dies before the commit.
    DiesBefore,
    /// It dies after the commit, before anybody has the answer.
    DiesAfter,
}

/// What is asked, and three numbers that choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) what: What,
    pub(crate) a: u16,
    pub(crate) b: u16,
    pub(crate) c: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Issue,
    Deliver,
    MakeLink,
    FollowLink,
    FetchForChild,
    DeliverToInstance,
    Reissue,
    Redeem,
    Retry,
    CheckIn,
    Leave,
    Evict,
    Ban,
    Unban,
    ResetRecoveries,
    Revoke,
    Configure,
    ChangePool,
    SeeSubject,
    SeeInstance,
    Expire,
    Forget,
}

/// How a worker goes about an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Takes it, does it, reports it.
    Well,
    /// Takes it, fails, reports that.
    Fails,
    /// Takes it, does it, and does not know whether it did.
    Unsure,
    /// Takes it, and something else bears the name.
    Collides,
    /// Takes it and stops there.
    Takes,
}

/// How a worker goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Going {
    Does,
    Reports,
    ReportsTwice,
    Dies,
}

/// What happens how often.
const ASKS: [(What, u64); 22] = [
    (What::Issue, 16),
    (What::Deliver, 8),
    (What::MakeLink, 2),
    (What::FollowLink, 3),
    (What::FetchForChild, 2),
    (What::DeliverToInstance, 2),
    (What::Reissue, 5),
    (What::Redeem, 20),
    (What::Retry, 6),
    (What::CheckIn, 14),
    (What::Leave, 2),
    (What::Evict, 2),
    (What::Ban, 1),
    (What::Unban, 1),
    (What::ResetRecoveries, 1),
    (What::Revoke, 3),
    (What::Configure, 1),
    (What::ChangePool, 1),
    (What::SeeSubject, 2),
    (What::SeeInstance, 5),
    (What::Expire, 2),
    (What::Forget, 2),
];

impl Step {
    /// The story of a seed.
    pub(crate) fn all(seed: u64) -> Vec<Self> {
        let mut dice = Dice::new(seed);
        let many = 50 + dice.below(50);
        (0..many).map(|_| Self::one(&mut dice)).collect()
    }

    fn one(dice: &mut Dice) -> Self {
        let host = dice.below(3) as u8;
        match dice.below(100) {
            0..=57 => {
                let ask = Ask::one(dice);
                Self::Ask {
                    host,
                    ask,
                    hold: dice.once_in(5),
                    fate: Fate::one(dice),
                    trusted: !dice.once_in(40),
                }
            }
            58..=63 => Self::Resume { host, fate: Fate::one(dice) },
            64..=69 => Self::Timer { host, trusted: !dice.once_in(20) },
            70..=76 => {
                let seconds = match dice.below(10) {
                    0..=4 => dice.below(5),
                    5..=7 => 30 + dice.below(300),
                    8 => 600 + dice.below(600),
                    _ => 3600 + dice.below(3600),
                };
                Self::Wait { seconds: seconds as u32 }
            }
            77 => Self::Back { seconds: dice.below(1200) as u32 },
            78..=93 => {
                let way = match dice.below(12) {
                    0..=5 => Way::Well,
                    6 => Way::Fails,
                    7 => Way::Unsure,
                    8 => Way::Collides,
                    _ => Way::Takes,
                };
                Self::Work { effect: dice.small(), worker: dice.below(3) as u8, way }
            }
            _ => {
                let what = [Going::Does, Going::Does, Going::Reports, Going::ReportsTwice, Going::Dies];
                Self::Job { job: dice.small(), what: what[dice.below(5) as usize] }
            }
        }
    }
}

impl Ask {
    fn one(dice: &mut Dice) -> Self {
        let mut left = dice.below(ASKS.iter().map(|(_, weight)| weight).sum());
        let mut what = What::Issue;
        for (candidate, weight) in ASKS {
            if left < weight {
                what = candidate;
                break;
            }
            left -= weight;
        }
        Self { what, a: dice.small(), b: dice.small(), c: dice.small() }
    }
}

impl Fate {
    fn one(dice: &mut Dice) -> Self {
        match dice.below(20) {
            0 => Self::DiesBefore,
            1 => Self::DiesAfter,
            _ => Self::Lives,
        }
    }
}
