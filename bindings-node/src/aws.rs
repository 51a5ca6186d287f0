//! Events about instances, read from verified notifications.

use handfast::aws::{self, Received, Trust};
use napi_derive::napi;

use crate::{
    carry,
    error::{Result, Throw},
    sns::Notification,
};

/// One authentic event about one instance.
#[napi]
pub struct InstanceEvent(aws::InstanceEvent);

impl InstanceEvent {
    pub(crate) fn get(&self) -> &aws::InstanceEvent {
        &self.0
    }
}

#[napi]
impl InstanceEvent {
    /// The instance.
    #[napi(getter)]
    pub fn instance(&self) -> &str {
        self.0.instance().as_str()
    }

    /// The account that owns it.
    #[napi(getter)]
    pub fn account(&self) -> &str {
        self.0.account().as_str()
    }

    /// The region that it is in.
    #[napi(getter)]
    pub fn region(&self) -> &str {
        self.0.region().as_str()
    }

    /// When it happened, by the sender's clock.
    #[napi(getter)]
    pub fn occurred_at(&self) -> String {
        self.0.occurred_at().to_string()
    }

    /// When SNS accepted the message.
    #[napi(getter)]
    pub fn published_at(&self) -> String {
        self.0.published_at().to_string()
    }

    /// Names the event across repeated deliveries.
    #[napi(getter)]
    pub fn event_id(&self) -> &str {
        self.0.event_id()
    }

    /// The SNS message id.
    #[napi(getter)]
    pub fn message_id(&self) -> &str {
        self.0.message_id()
    }

    /// The topic that the message came through.
    #[napi(getter)]
    pub fn topic(&self) -> &str {
        self.0.topic().as_str()
    }

    /// The state that follows, if one does.
    #[napi(getter)]
    pub fn implied_state(&self) -> Option<&'static str> {
        self.0.implied_state().map(aws::InstanceState::as_str)
    }

    /// All of it, as JSON.
    #[napi]
    pub fn describe(&self) -> String {
        carry::write(&self.0)
    }
}

/// What a verified notification turned out to be: one of the two members is there.
#[napi(object, object_from_js = false)]
pub struct Reading {
    /// An event about one instance.
    pub event: Option<InstanceEvent>,
    /// Why it is not for us.
    pub not_for_us: Option<&'static str>,
}

/// Reads what a verified notification says, as far as `trust`, as JSON, goes.
#[napi]
pub fn read_instance_event(notification: &Notification, trust: String) -> Result<Reading> {
    let trust: Vec<Trust> = carry::read_as(&trust, &Vec::new(), "trust")?;
    match aws::read(notification.get(), &trust).map_err(Throw::throw)? {
        Received::Instance(event) => Ok(Reading { event: Some(InstanceEvent(*event)), not_for_us: None }),
        Received::NotForUs(reason) => Ok(Reading { event: None, not_for_us: Some(reason.as_str()) }),
    }
}
