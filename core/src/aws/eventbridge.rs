//! EventBridge's envelope (EventBridge User Guide, "Event structure") and the EC2 events in it.

use serde_json::Value;

use super::{
    AwsError, Change, Context, InstanceEvent, NotForUs, Object, Received, SpotAction, Transition,
    autoscaling, fields,
};

const EC2: &str = "aws.ec2";
const AUTO_SCALING: &str = "aws.autoscaling";

/// The kinds that concern an instance.
#[derive(Clone, Copy)]
enum Kind {
    StateChange,
    SpotInterruption,
    Rebalance,
    Lifecycle(Transition),
    Activity(autoscaling::Outcome),
}

impl Kind {
    /// By the `detail-type`, compared whole.
    fn of(detail_type: &str) -> Result<Self, NotForUs> {
        use autoscaling::Outcome;
        Ok(match detail_type {
            "EC2 Instance State-change Notification" => Self::StateChange,
            "EC2 Spot Instance Interruption Warning" => Self::SpotInterruption,
            "EC2 Instance Rebalance Recommendation" => Self::Rebalance,
            "EC2 Instance-launch Lifecycle Action" => Self::Lifecycle(Transition::Launching),
            "EC2 Instance-terminate Lifecycle Action" => Self::Lifecycle(Transition::Terminating),
            "EC2 Instance Launch Successful" => Self::Activity(Outcome::LaunchSuccessful),
            "EC2 Instance Launch Unsuccessful" => Self::Activity(Outcome::LaunchUnsuccessful),
            "EC2 Instance Terminate Successful" => Self::Activity(Outcome::TerminateSuccessful),
            "EC2 Instance Terminate Unsuccessful" => Self::Activity(Outcome::TerminateUnsuccessful),
            "AWS Health Event" => return Err(NotForUs::HealthEvent),
            other if other.starts_with("EC2 Auto Scaling Instance Refresh ") => {
                return Err(NotForUs::InstanceRefresh);
            }
            _ => return Err(NotForUs::OtherEvent),
        })
    }

    fn source(self) -> &'static str {
        match self {
            Self::StateChange | Self::SpotInterruption | Self::Rebalance => EC2,
            Self::Lifecycle(_) | Self::Activity(_) => AUTO_SCALING,
        }
    }
}

/// Reads an event whose `detail-type` is present.
pub(super) fn read(event: &Object, context: &Context<'_>) -> Result<Received, AwsError> {
    let kind = match Kind::of(fields::text(event, "detail-type")?) {
        Ok(kind) => kind,
        Err(reason) => return Ok(Received::NotForUs(reason)),
    };
    if fields::text(event, "source")? != kind.source() {
        return Err(AwsError::WrongSource { expected: kind.source() });
    }
    // AWS's own samples leave the version out; a later version may mean something else.
    if fields::optional_text(event, "version")?.is_some_and(|version| version != "0") {
        return Err(AwsError::Malformed { field: "version" });
    }
    let sample = Ok(Received::NotForUs(NotForUs::DocumentationSample));
    if fields::text(event, "account")?.starts_with('<') {
        return sample;
    }
    let Some(occurred_at) = fields::time(event, "time")? else { return sample };
    let (account, region) = (fields::parsed(event, "account")?, fields::parsed(event, "region")?);
    context.covers(&account, &region)?;
    let Some(Value::Object(detail)) = event.get("detail") else {
        return Err(AwsError::Malformed { field: "detail" });
    };
    let (instance, change) = match kind {
        Kind::StateChange => (
            fields::instance(detail, "instance-id")?,
            Change::State { state: fields::parsed(detail, "state")? },
        ),
        Kind::SpotInterruption => (
            fields::instance(detail, "instance-id")?,
            Change::SpotInterruption { action: spot_action(fields::text(detail, "instance-action")?)? },
        ),
        Kind::Rebalance => (fields::instance(detail, "instance-id")?, Change::Rebalance),
        Kind::Lifecycle(transition) => autoscaling::lifecycle(detail, transition)?,
        Kind::Activity(outcome) => match autoscaling::activity(detail, outcome)? {
            Ok(named) => named,
            Err(reason) => return Ok(Received::NotForUs(reason)),
        },
    };
    Ok(Received::Instance(Box::new(InstanceEvent {
        instance,
        account,
        region,
        change,
        occurred_at,
        published_at: context.envelope.published_at,
        event_id: event_id(event)?,
        message_id: context.envelope.message_id.to_owned(),
        topic: context.envelope.topic.clone(),
    })))
}

/// EventBridge's ids are UUIDs; only their alphabet and length are relied upon.
fn event_id(event: &Object) -> Result<String, AwsError> {
    let id = fields::text(event, "id")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if matches!(id.len(), 1..=64) && id.bytes().all(is_plain) {
        Ok(id.to_owned())
    } else {
        Err(AwsError::Malformed { field: "id" })
    }
}

fn spot_action(text: &str) -> Result<SpotAction, AwsError> {
    match text {
        "terminate" => Ok(SpotAction::Terminate),
        "stop" => Ok(SpotAction::Stop),
        "hibernate" => Ok(SpotAction::Hibernate),
        _ => Err(AwsError::Malformed { field: "instance-action" }),
    }
}
