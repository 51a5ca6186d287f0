//! Auto Scaling's details, and its notifications that go straight to SNS.
//!
//! The direct notifications are not EventBridge envelopes: they have `Service`, `Time`, and either
//! `LifecycleTransition` or `Event` (Auto Scaling User Guide, "Amazon SNS notification options"). They name no region:
//! Auto Scaling publishes only to topics of its own region, so the topic's counts.

use super::{
    Activity, AwsError, Change, Context, InstanceEvent, InstanceId, LifecycleAction, NotForUs, Object, Place,
    Received, Transition, fields,
};

/// How an activity ended.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    LaunchSuccessful,
    LaunchUnsuccessful,
    TerminateSuccessful,
    TerminateUnsuccessful,
}

/// Reads a direct notification.
pub(super) fn read(notification: &Object, context: &Context<'_>) -> Result<Received, AwsError> {
    let transition = fields::optional_text(notification, "LifecycleTransition")?;
    let event = fields::optional_text(notification, "Event")?;
    let outcome = match (transition, event) {
        (Some(_), None) => None,
        (None, Some("autoscaling:EC2_INSTANCE_LAUNCH")) => Some(Outcome::LaunchSuccessful),
        (None, Some("autoscaling:EC2_INSTANCE_LAUNCH_ERROR")) => Some(Outcome::LaunchUnsuccessful),
        (None, Some("autoscaling:EC2_INSTANCE_TERMINATE")) => Some(Outcome::TerminateSuccessful),
        (None, Some("autoscaling:EC2_INSTANCE_TERMINATE_ERROR")) => Some(Outcome::TerminateUnsuccessful),
        (None, Some("autoscaling:TEST_NOTIFICATION")) => {
            return Ok(Received::NotForUs(NotForUs::TestNotification));
        }
        (None, _) => return Ok(Received::NotForUs(NotForUs::OtherEvent)),
        (Some(_), Some(_)) => return Err(AwsError::Malformed { field: "Event" }),
    };
    let Some(occurred_at) = fields::time(notification, "Time")? else {
        return Ok(Received::NotForUs(NotForUs::DocumentationSample));
    };
    let account = fields::parsed(notification, "AccountId")?;
    let region = context.envelope.topic.region();
    let region = region.parse().map_err(|_| AwsError::Malformed { field: "TopicArn" })?;
    context.covers(&account, &region)?;
    let (instance, change) = match outcome {
        None => lifecycle(notification, direction(notification)?)?,
        Some(outcome) => match activity(notification, outcome)? {
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
        event_id: context.envelope.message_id.to_owned(),
        message_id: context.envelope.message_id.to_owned(),
        topic: context.envelope.topic.clone(),
    })))
}

/// An instance at a hook; the detail must name the same direction as its envelope.
pub(super) fn lifecycle(detail: &Object, expected: Transition) -> Result<(InstanceId, Change), AwsError> {
    let transition = direction(detail)?;
    if transition != expected {
        return Err(AwsError::Malformed { field: "LifecycleTransition" });
    }
    let action = LifecycleAction {
        transition,
        group: fields::text(detail, "AutoScalingGroupName")?.to_owned(),
        hook: fields::text(detail, "LifecycleHookName")?.to_owned(),
        token: fields::text(detail, "LifecycleActionToken")?.to_owned(),
        metadata: fields::optional_text(detail, "NotificationMetadata")?.map(str::to_owned),
        origin: place(detail, "Origin")?,
        destination: place(detail, "Destination")?,
    };
    Ok((fields::instance(detail, "EC2InstanceId")?, Change::Lifecycle(action)))
}

/// A finished activity, or why it concerns no instance.
pub(super) fn activity(
    detail: &Object,
    outcome: Outcome,
) -> Result<Result<(InstanceId, Change), NotForUs>, AwsError> {
    if fields::optional_text(detail, "EC2InstanceId")?.is_none_or(str::is_empty) {
        return Ok(Err(match outcome {
            Outcome::LaunchUnsuccessful => NotForUs::LaunchUnsuccessful,
            Outcome::LaunchSuccessful | Outcome::TerminateSuccessful | Outcome::TerminateUnsuccessful => {
                NotForUs::NamesNoInstance
            }
        }));
    }
    let instance = fields::instance(detail, "EC2InstanceId")?;
    let activity = Activity {
        group: fields::text(detail, "AutoScalingGroupName")?.to_owned(),
        description: fields::optional_text(detail, "Description")?.unwrap_or_default().to_owned(),
        reason: fields::optional_text(detail, "StatusMessage")?.unwrap_or_default().to_owned(),
        origin: place(detail, "Origin")?,
        destination: place(detail, "Destination")?,
    };
    let change = match outcome {
        Outcome::LaunchSuccessful => Change::LaunchSuccessful(activity),
        Outcome::LaunchUnsuccessful => Change::LaunchUnsuccessful(activity),
        Outcome::TerminateSuccessful => Change::TerminateSuccessful(activity),
        Outcome::TerminateUnsuccessful => Change::TerminateUnsuccessful(activity),
    };
    Ok(Ok((instance, change)))
}

fn direction(detail: &Object) -> Result<Transition, AwsError> {
    match fields::text(detail, "LifecycleTransition")? {
        "autoscaling:EC2_INSTANCE_LAUNCHING" => Ok(Transition::Launching),
        "autoscaling:EC2_INSTANCE_TERMINATING" => Ok(Transition::Terminating),
        _ => Err(AwsError::Malformed { field: "LifecycleTransition" }),
    }
}

fn place(detail: &Object, field: &'static str) -> Result<Option<Place>, AwsError> {
    match fields::optional_text(detail, field)? {
        None => Ok(None),
        Some("EC2") => Ok(Some(Place::Ec2)),
        Some("AutoScalingGroup") => Ok(Some(Place::AutoScalingGroup)),
        Some("WarmPool") => Ok(Some(Place::WarmPool)),
        Some(_) => Err(AwsError::Malformed { field }),
    }
}
