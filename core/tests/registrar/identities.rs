//! Instance identity documents in place of an address.

use handfast::{
    Command,
    aws::{InstanceState, identity::InstanceIdentity},
    vocabulary::{Answer, Refusal},
};
use serde_json::json;

use crate::world::{INSTANCE, World, delivered, instance, refusal};

fn with_identity(world: &mut World, command: serde_json::Value, id: &str) -> Answer {
    let identity = InstanceIdentity::for_testing(id.parse().unwrap(), world.now, None);
    let command = Command::from_value(command).unwrap().with_identity(identity).unwrap();
    world.run_command(&command)
}

#[test]
fn an_identity_document_stands_for_the_address_at_the_first_delivery() {
    let mut world = World::new();
    world.instance_ready();
    let deliver = || json!({"type": "deliver", "to": {"type": "instance", "instance": INSTANCE}});
    let other = with_identity(&mut world, deliver(), "i-00000000000000001");
    assert_eq!(refusal(&other), Refusal::BindingMismatch);
    let first = delivered(with_identity(&mut world, deliver(), INSTANCE));
    assert_eq!((first.contents.len(), first.again), (1, false));
    world.later(601);
    let late = with_identity(&mut world, deliver(), INSTANCE);
    assert_eq!(refusal(&late), Refusal::AlreadyDelivered, "whoever reads the document later gets nothing");
    world.observe(InstanceState::Terminated);
    assert_eq!(refusal(&with_identity(&mut world, deliver(), INSTANCE)), Refusal::Ended);
}

#[test]
fn account_and_region_are_believed_from_evidence_only() {
    let mut world = World::new();
    let bound = json!({"accounts": ["123456789012"], "regions": ["us-east-1"], "instance": INSTANCE});
    let (_, token) = world.issue("edge-1", json!({"bindings": bound}));
    let redeem = || json!({"type": "redeem", "token": token, "fingerprint": "m1", "instance": INSTANCE});
    assert_eq!(refusal(&world.run(redeem())), Refusal::BindingMismatch, "anybody can say so");
    let other = with_identity(&mut world, redeem(), "i-00000000000000001");
    assert_eq!(refusal(&other), Refusal::BindingMismatch);
    assert!(matches!(with_identity(&mut world, redeem(), INSTANCE), Answer::Redeemed(_)));
    let revoke = json!({"type": "revoke", "authority": "operator:ann", "package": "01890a5d-ac96-774b-bcce-b302099a8057"});
    let misplaced = Command::from_value(revoke).unwrap();
    assert!(misplaced.with_identity(InstanceIdentity::for_testing(instance(), world.now, None)).is_err());
}
