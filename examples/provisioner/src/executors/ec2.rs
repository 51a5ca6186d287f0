//! Instances as EC2 itself describes them (`DescribeInstances`). The only right this needs is `ec2:DescribeInstances`.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_ec2::{
    Client,
    config::Builder,
    error::{DisplayErrorContext, ProvideErrorMetadata},
    types::{Instance, Reservation},
};
use handfast::{
    aws::{InstanceId, Region},
    limits,
    time::Timestamp,
    vocabulary::Description,
};

use super::Failure;
use crate::config;

/// A client for each region that was asked.
#[derive(Debug)]
pub(super) struct Ec2 {
    common: SdkConfig,
    clients: Mutex<BTreeMap<Region, Client>>,
}

impl Ec2 {
    /// Finds the credentials where AWS programs keep them. Nobody is asked yet.
    pub(super) async fn new(settings: config::Ec2) -> Self {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(url) = settings.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        Self { common: loader.load().await, clients: Mutex::default() }
    }

    /// Asks about one instance.
    pub(super) async fn describe(&self, id: &InstanceId, region: &Region) -> Result<Description, Failure> {
        let request = self.client(region).describe_instances().instance_ids(id.as_str());
        let answer = request.send().await.map_err(|error| {
            Failure::Failed(match error.code() {
                Some(code) => format!("EC2 said {code}: {}", error.message().unwrap_or_default()),
                None => format!("no answer from EC2: {}", DisplayErrorContext(&error)),
            })
        })?;
        for reservation in answer.reservations() {
            let named = |instance: &&Instance| instance.instance_id() == Some(id.as_str());
            if let Some(instance) = reservation.instances().iter().find(named) {
                return describe(reservation, instance, region)
                    .ok_or_else(|| Failure::Failed("EC2's answer lacks account or state".into()));
            }
        }
        Err(Failure::Failed("EC2 does not know it".into()))
    }

    fn client(&self, region: &Region) -> Client {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let in_region = aws_config::Region::new(region.as_str().to_owned());
            Client::from_conf(Builder::from(&self.common).region(in_region).build())
        };
        clients.entry(region.clone()).or_insert_with(make).clone()
    }
}

fn describe(reservation: &Reservation, instance: &Instance, region: &Region) -> Option<Description> {
    let state = instance.state()?.name()?.as_str().parse().ok()?;
    let launched_at = instance.launch_time().and_then(|at| at.to_millis().ok());
    let tags =
        instance.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
    Some(Description {
        account: reservation.owner_id()?.parse().ok()?,
        region: region.clone(),
        state,
        addresses: addresses(instance),
        tags: tags.collect(),
        launched_at: launched_at.and_then(Timestamp::from_unix_millis),
    })
}

/// Every address from which the instance may come, of all its interfaces.
fn addresses(instance: &Instance) -> BTreeSet<IpAddr> {
    let mut texts =
        vec![instance.private_ip_address(), instance.public_ip_address(), instance.ipv6_address()];
    for interface in instance.network_interfaces() {
        texts.push(interface.association().and_then(|association| association.public_ip()));
        for address in interface.private_ip_addresses() {
            texts.push(address.private_ip_address());
            texts.push(address.association().and_then(|association| association.public_ip()));
        }
        texts.extend(interface.ipv6_addresses().iter().map(|address| address.ipv6_address()));
    }
    let parsed = texts.into_iter().flatten().filter_map(|text| text.parse().ok());
    parsed.take(limits::INSTANCE_ADDRESSES).collect()
}
