//! What every command does in every state, as tables that people review: `core/tests/tables.md`. `UPDATE_TABLES=1` writes
//! it anew.

use handfast::{
    aws::InstanceState,
    id::{NodeId, PackageId},
    record::{Key, Record},
    time::Now,
    vocabulary::{Answer, Command, Effect, EffectOutcome, Redeemed},
};
use serde_json::{Value, json};

use crate::world::{ADDRESS, INSTANCE, World, described, instance, policy};

/// A world in some state, and what a table is about in it.
struct Scene {
    world: World,
    package: Option<PackageId>,
    token: String,
    /// A reissued token, where there is one.
    newer: String,
    node: Option<Redeemed>,
    effect: Option<Effect>,
}

impl Scene {
    fn new(world: World) -> Self {
        Self { world, package: None, token: String::new(), newer: String::new(), node: None, effect: None }
    }

    fn package(&self) -> PackageId {
        self.package.unwrap()
    }

    fn node(&self) -> NodeId {
        self.node.as_ref().unwrap().node
    }

    fn key(&self) -> Key {
        Key::Package(self.package())
    }

    /// Runs a command and says in a few words what came of it.
    fn cell(mut self, act: &dyn Fn(&mut Self) -> Answer, state: &dyn Fn(&Self) -> String) -> String {
        let (before, known) = (state(&self), self.world.ledger.events().len());
        let answer = act(&mut self);
        let after = state(&self);
        let facts = self.world.facts().split_off(known);
        match answer {
            Answer::Refused(refused) if facts.is_empty() => format!("no: {}", refused.code().as_str()),
            Answer::Refused(refused) => format!("no: {}; {}", refused.code().as_str(), facts.join(", ")),
            _ if before != after => format!("**{after}**"),
            _ if facts.is_empty() => "nothing".to_owned(),
            _ => facts.join(", "),
        }
    }
}

type Act = Box<dyn Fn(&mut Scene) -> Answer>;
type Scenes = Vec<(&'static str, fn() -> Scene)>;

fn table(
    title: &str,
    about: &str,
    scenes: &Scenes,
    acts: &[(&str, Act)],
    state: &dyn Fn(&Scene) -> String,
) -> String {
    let names: Vec<_> = scenes.iter().map(|(name, _)| *name).collect();
    let mut text = format!(
        "## {title}\n\n{about}\n\n| | {} |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for (name, act) in acts {
        let cells: Vec<_> = scenes.iter().map(|(_, scene)| scene().cell(act, state)).collect();
        text.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    text.push('\n');
    text
}

fn run(command: impl Fn(&Scene) -> Value + 'static) -> Act {
    Box::new(move |scene| {
        let command = command(scene);
        scene.world.run(command)
    })
}

/// The same, so many seconds later.
fn later(seconds: u32, command: impl Fn(&Scene) -> Value + 'static) -> Act {
    Box::new(move |scene| {
        scene.world.later(seconds);
        let command = command(scene);
        scene.world.run(command)
    })
}

fn by_ann(what: &'static str) -> impl Fn(&Scene) -> Value {
    move |scene| json!({"type": what, "authority": "operator:ann", "package": scene.package()})
}

// --- packages -------------------------------------------------------------------------------------------------------

/// A package that wants a client upstream and is issued with keepers. What its token is, a twin world tells.
fn wanting() -> Scene {
    let issue = |world: &mut World| world.apply("edge", "a", json!({"ttl_seconds": 900})).package;
    let mut twin = World::new();
    let package = issue(&mut twin);
    twin.work();
    let token = crate::world::delivered(twin.deliver(package)).token.unwrap();
    let mut scene = Scene::new(World::new());
    scene.package = Some(issue(&mut scene.world));
    scene.token = token.expose().to_owned();
    scene
}

fn created() -> Scene {
    let mut scene = wanting();
    scene.world.work();
    scene
}

fn delivered() -> Scene {
    let mut scene = created();
    let answer = crate::world::delivered(scene.world.deliver(scene.package()));
    assert_eq!(answer.token.unwrap().expose(), scene.token);
    scene
}

fn claimed() -> Scene {
    let mut scene = delivered();
    scene.node = Some(scene.world.redeemed(&scene.token.clone(), "m"));
    scene
}

fn activated() -> Scene {
    let mut scene = claimed();
    let node = scene.node.clone().unwrap();
    scene.world.check_in(&node, "m", 1);
    scene
}

fn expired() -> Scene {
    let mut scene = delivered();
    scene.world.later(900);
    scene.world.tick();
    scene
}

fn revoked() -> Scene {
    let mut scene = activated();
    scene.world.revoke(scene.package());
    scene
}

fn retired() -> Scene {
    let mut scene = activated();
    scene.world.evict(scene.node());
    scene
}

fn forgotten() -> Scene {
    let mut scene = retired();
    scene.world.work();
    scene.world.run(json!({"type": "forget", "authority": "timer", "key": scene.key()}));
    scene
}

fn package_state(scene: &Scene) -> String {
    match scene.world.ledger.get(&scene.key()) {
        Some(Record::Package(package)) => package.status.as_str().to_owned(),
        Some(Record::Forgotten(_)) => "forgotten".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn redeem(subject: &'static str) -> impl Fn(&Scene) -> Value {
    move |scene| json!({"type": "redeem", "token": scene.token, "fingerprint": subject})
}

fn issue(hash: Option<&'static str>) -> impl Fn(&Scene) -> Value {
    move |_| {
        let mut issue = json!({"type": "issue", "authority": "operator:ann", "name": "edge"});
        if let Some(hash) = hash {
            issue["keepers"] = json!({"hash": hash});
        }
        issue
    }
}

fn expire(scene: &Scene) -> Value {
    json!({"type": "expire", "key": scene.key()})
}

fn forget(scene: &Scene) -> Value {
    json!({"type": "forget", "authority": "timer", "key": scene.key()})
}

fn packages() -> String {
    let scenes: Scenes = vec![
        ("created, its client wanted", wanting),
        ("created", created),
        ("delivered", delivered),
        ("delivered, redeemed", claimed),
        ("activated", activated),
        ("expired", expired),
        ("revoked", revoked),
        ("retired", retired),
        ("forgotten", forgotten),
    ];
    let deliver = |name: &'static str| move |scene: &Scene| json!({"type": "deliver", "authority": format!("operator:{name}"), "to": {"type": "operator", "package": scene.package()}});
    let acts: Vec<(&str, Act)> = vec![
        ("issue, the same name without keepers", run(issue(None))),
        ("issue, the same keepers", run(issue(Some("a")))),
        ("issue, other keepers", run(issue(Some("b")))),
        ("deliver to an operator", run(deliver("ann"))),
        ("deliver to another operator", run(deliver("bob"))),
        ("make_link", run(by_ann("make_link"))),
        ("reissue", run(by_ann("reissue"))),
        ("redeem by its node or a first one", run(redeem("m"))),
        ("redeem by another", run(redeem("m2"))),
        (
            "what is to be done upstream is done",
            Box::new(|scene| {
                let effect = scene.world.effects().into_iter().next();
                match effect {
                    Some(effect) => scene.world.report(&effect, EffectOutcome::Done),
                    None => Answer::Reported(handfast::vocabulary::Changed { changed: false }),
                }
            }),
        ),
        ("expire, before its deadline", run(expire)),
        ("expire, at its deadline", later(900, expire)),
        ("revoke", run(by_ann("revoke"))),
        ("forget", run(forget)),
    ];
    table(
        "Packages",
        "A package of one use with a client upstream, 15 minutes long, activated by the first check-in.",
        &scenes,
        &acts,
        &package_state,
    )
}

// --- nodes ----------------------------------------------------------------------------------------------------------

/// A node of a package for several, ephemeral, with a reissued token in somebody's hand.
fn fleet() -> Scene {
    let mut scene = Scene::new(World::new());
    let (package, token) = scene.world.issue("fleet", json!({"max_uses": 3, "inactivity_seconds": 7200}));
    (scene.package, scene.token) = (Some(package), token);
    scene.node = Some(scene.world.redeemed(&scene.token.clone(), "m"));
    let more = json!({"make_before_break": true, "ttl_seconds": 86_400});
    scene.newer = scene.world.reissue(package, more);
    scene
}

fn active() -> Scene {
    let mut scene = fleet();
    let node = scene.node.clone().unwrap();
    scene.world.check_in(&node, "m", 1);
    scene.world.check_in(&node, "m", 2);
    scene
}

fn evicted() -> Scene {
    let mut scene = active();
    scene.world.evict(scene.node());
    scene
}

fn of_an_end() -> Scene {
    let mut scene = active();
    scene.world.revoke(scene.package());
    scene
}

fn node_forgotten() -> Scene {
    let mut scene = evicted();
    scene.world.run(json!({"type": "forget", "authority": "timer", "key": Key::Node(scene.node())}));
    scene
}

fn node_state(scene: &Scene) -> String {
    match scene.world.ledger.get(&Key::Node(scene.node())) {
        Some(Record::Node(node)) => {
            let why =
                node.retired.map(|why| format!(" ({})", json!(why).as_str().unwrap().replace('_', " ")));
            format!("{}{}", node.status.as_str(), why.unwrap_or_default())
        }
        Some(Record::Forgotten(_)) => "forgotten".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn nodes() -> String {
    let scenes: Scenes = vec![
        ("claimed", fleet),
        ("active", active),
        ("retired, evicted", evicted),
        ("retired, its package revoked", of_an_end),
        ("forgotten", node_forgotten),
    ];
    let check_in = |sequence: u64, fingerprint: &'static str| move |scene: &Scene| json!({"type": "check_in", "node": scene.node(), "fingerprint": fingerprint, "sequence": sequence});
    let expire = |scene: &Scene| json!({"type": "expire", "key": Key::Node(scene.node())});
    let acts: Vec<(&str, Act)> = vec![
        ("redeem, the token that it redeemed", run(redeem("m"))),
        (
            "redeem, a reissued token",
            run(|scene| json!({"type": "redeem", "token": scene.newer, "fingerprint": "m"})),
        ),
        ("check_in, the next number", run(check_in(3, "m"))),
        ("check_in, the same number", run(check_in(2, "m"))),
        ("check_in, an older number", run(check_in(1, "m"))),
        ("check_in by another", run(check_in(3, "other"))),
        ("leave", run(|scene| json!({"type": "leave", "node": scene.node(), "fingerprint": "m"}))),
        ("evict", run(|scene| json!({"type": "evict", "authority": "operator:ann", "node": scene.node()}))),
        (
            "ban",
            run(|_| json!({"type": "ban", "authority": "operator:ann", "scope": "default", "subject": "m"})),
        ),
        ("expire, at once", run(expire)),
        ("expire, after 10 minutes", later(600, expire)),
        ("expire, after 1 hour", later(3600, expire)),
        ("expire, after 2 hours", later(7200, expire)),
        ("its package is revoked", run(by_ann("revoke"))),
        (
            "forget",
            run(|scene| json!({"type": "forget", "authority": "timer", "key": Key::Node(scene.node())})),
        ),
    ];
    let about = "A node of a package of three uses that retires after two hours of silence. Its package's token was reissued, make before break.";
    table("Nodes", about, &scenes, &acts, &node_state)
}

// --- instances ------------------------------------------------------------------------------------------------------

fn unheard() -> Scene {
    let mut scene = Scene::new(World::new());
    scene.world.later(60);
    scene
}

macro_rules! seen {
    ($($name:ident: $($state:ident)+;)+) => {$(
        fn $name() -> Scene {
            let mut scene = unheard();
            $(
                scene.world.observe(InstanceState::$state);
                scene.world.later(60);
            )+
            scene
        }
    )+};
}

seen! {
    pending: Pending;
    running: Running;
    stopped: Running Stopped;
    shutting_down: Running ShuttingDown;
    terminated: Running Terminated;
}

fn enrolled() -> Scene {
    let mut scene = unheard();
    scene.world.instance_ready();
    scene.world.later(60);
    scene
}

fn instance_forgotten() -> Scene {
    let mut scene = terminated();
    scene.world.later(100_000);
    scene.world.run(json!({"type": "forget", "authority": "timer", "key": Key::Instance(instance())}));
    scene
}

fn instance_state(scene: &Scene) -> String {
    match scene.world.ledger.get(&Key::Instance(instance())) {
        Some(Record::Instance(instance)) => {
            let package = instance.package.map(|_| " with a package").unwrap_or_default();
            let asked = if instance.describe { ", to be described" } else { "" };
            format!("{}{package}{asked}", instance.state.as_str())
        }
        Some(Record::Forgotten(_)) => "forgotten".to_owned(),
        None => "unknown".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn instances() -> String {
    let scenes: Scenes = vec![
        ("unknown", unheard),
        ("pending", pending),
        ("running, to be described", running),
        ("running, with a package", enrolled),
        ("stopped", stopped),
        ("shutting-down", shutting_down),
        ("terminated", terminated),
        ("forgotten", instance_forgotten),
    ];
    let mut acts: Vec<(&str, Act)> = Vec::new();
    let states = [
        InstanceState::Pending,
        InstanceState::Running,
        InstanceState::Stopping,
        InstanceState::Stopped,
        InstanceState::ShuttingDown,
        InstanceState::Terminated,
    ];
    for (name, state) in
        ["pending", "running", "stopping", "stopped", "shutting-down", "terminated"].into_iter().zip(states)
    {
        acts.push((name, Box::new(move |scene| scene.world.observe(state))));
    }
    acts.push((
        "running, an hour late",
        Box::new(|scene| {
            let late = scene.world.now.minus_seconds(3601);
            scene.world.observe_at(InstanceState::Running, late)
        }),
    ));
    acts.push((
        "terminated, an hour late",
        Box::new(|scene| {
            let late = scene.world.now.minus_seconds(3601);
            scene.world.observe_at(InstanceState::Terminated, late)
        }),
    ));
    let report = |outcome: fn() -> EffectOutcome| -> Act {
        Box::new(move |scene| {
            let describes = |effect: &Effect| effect.id.key() == Key::Instance(instance());
            match scene.world.effects().into_iter().find(describes) {
                Some(effect) => scene.world.report(&effect, outcome()),
                None => Answer::Reported(handfast::vocabulary::Changed { changed: false }),
            }
        })
    };
    acts.push(("the API describes it, and a rule wants it", report(|| described(&json!({"role": "node"})))));
    acts.push(("the API describes it, and no rule wants it", report(|| described(&json!({})))));
    acts.push(("the API does not know it", report(|| EffectOutcome::Failed { reason: "not found".into() })));
    let deliver = |source: &'static str| move |_: &Scene| json!({"type": "deliver", "source": source, "to": {"type": "instance", "instance": INSTANCE}});
    acts.push(("deliver, from its address", run(deliver(ADDRESS))));
    acts.push(("deliver, from elsewhere", run(deliver("192.0.2.1"))));
    let forget =
        |_: &Scene| json!({"type": "forget", "authority": "timer", "key": Key::Instance(instance())});
    acts.push(("forget, at once", run(forget)));
    acts.push(("forget, after a day and an hour", later(90_000, forget)));
    table("Instances", "Each event is of now, unless it is late.", &scenes, &acts, &instance_state)
}

// --- resources ------------------------------------------------------------------------------------------------------

/// A bootstrap token in the cluster.
fn wanted() -> Scene {
    let mut scene = Scene::new(World::new());
    let more = json!({"ttl_seconds": 3600, "contents": [{"type": "kubernetes_bootstrap_token"}]});
    scene.package = Some(scene.world.made("edge", more));
    scene.effect = Some(scene.world.effect());
    scene
}

fn creating() -> Scene {
    let mut scene = wanted();
    let effect = scene.effect.clone().unwrap();
    scene.world.report(&effect, EffectOutcome::Started { lease_seconds: 30 });
    scene
}

fn ready() -> Scene {
    let mut scene = wanted();
    let effect = scene.effect.clone().unwrap();
    scene.world.report(&effect, EffectOutcome::Done);
    scene
}

fn deleting() -> Scene {
    let mut scene = ready();
    scene.world.revoke(scene.package());
    scene.effect = Some(scene.world.effect());
    scene
}

fn gone() -> Scene {
    let mut scene = deleting();
    let effect = scene.effect.clone().unwrap();
    scene.world.report(&effect, EffectOutcome::Done);
    scene
}

fn failed() -> Scene {
    let mut scene = wanted();
    let effect = scene.effect.clone().unwrap();
    scene.world.report(&effect, EffectOutcome::Collision);
    scene
}

fn resource_state(scene: &Scene) -> String {
    let resource = &scene.world.package(scene.package()).resources[0];
    let mut state = json!(resource.state).as_str().unwrap().to_owned();
    if resource.lease.is_some() {
        state.push_str(", leased");
    }
    if resource.retry_at.is_some() {
        state.push_str(", again later");
    }
    state
}

fn resources() -> String {
    let scenes: Scenes = vec![
        ("wanted", wanted),
        ("creating, leased", creating),
        ("ready", ready),
        ("deleting", deleting),
        ("gone", gone),
        ("failed", failed),
    ];
    let report = |worker: &'static str, outcome: fn() -> EffectOutcome| -> Act {
        Box::new(move |scene| {
            let effect = scene.effect.clone().unwrap();
            scene.world.report_as(worker, &effect, outcome())
        })
    };
    let late: Act = Box::new(|scene| {
        let package = scene.package();
        let first = format!("package/{package}#1.ensure.1");
        let report = json!({"type": "report", "authority": "executor:w9", "effect": first, "outcome": {"type": "done"}});
        scene.world.later(60);
        scene.world.run(report)
    });
    let acts: Vec<(&str, Act)> = vec![
        ("started", report("executor:w1", || EffectOutcome::Started { lease_seconds: 30 })),
        ("started by another", report("executor:w2", || EffectOutcome::Started { lease_seconds: 30 })),
        ("done", report("executor:w1", || EffectOutcome::Done)),
        ("done, says another", report("executor:w2", || EffectOutcome::Done)),
        ("failed", report("executor:w1", || EffectOutcome::Failed { reason: "no".into() })),
        ("unknown", report("executor:w1", || EffectOutcome::Unknown)),
        ("collision", report("executor:w1", || EffectOutcome::Collision)),
        ("the first create is reported late", late),
        ("its package is revoked", run(by_ann("revoke"))),
        ("its own time is over", later(900, expire)),
        ("its package expires", later(3600, expire)),
    ];
    let about = "The bootstrap token of a package; reports are about the effect that is or was outstanding.";
    table("Resources", about, &scenes, &acts, &resource_state)
}

// --- subjects -------------------------------------------------------------------------------------------------------

fn stranger() -> Scene {
    let mut scene = Scene::new(World::new());
    let (package, token) = scene.world.issue("other", json!({}));
    (scene.package, scene.token) = (Some(package), token);
    scene
}

/// A node says that it is called so.
fn said() -> Scene {
    let mut scene = stranger();
    let redeem = json!({"type": "redeem", "token": scene.token, "fingerprint": "m", "node_name": "n1"});
    assert!(matches!(scene.world.run(redeem), Answer::Redeemed(_)));
    scene
}

fn expected() -> Scene {
    let mut scene = Scene::new(World::new());
    let more = json!({"activates_on": "report", "bindings": {"node_name": "n1"}});
    let (package, token) = scene.world.issue("edge", more);
    (scene.package, scene.token) = (Some(package), token);
    scene
}

fn bound() -> Scene {
    let mut scene = expected();
    let redeem = json!({"type": "redeem", "token": scene.token, "fingerprint": "m", "node_name": "n1"});
    assert!(matches!(scene.world.run(redeem), Answer::Redeemed(_)));
    scene
}

fn free() -> Scene {
    let mut scene = bound();
    scene.world.revoke(scene.package());
    scene
}

fn banned() -> Scene {
    let mut scene = bound();
    scene.world.ban("default", "node/n1");
    scene
}

fn subject_state(scene: &Scene) -> String {
    match scene.world.ledger.get(&"subject/default/node/n1".parse().unwrap()) {
        Some(Record::Subject(entry)) => entry.standing().to_owned(),
        None => "unknown".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn subjects() -> String {
    let scenes: Scenes = vec![
        ("unknown", stranger),
        ("claimed", said),
        ("expected", expected),
        ("active", bound),
        ("gone", free),
        ("banned", banned),
    ];
    let acts: Vec<(&str, Act)> = vec![
        (
            "it connects",
            run(
                |_| json!({"type": "observe_subject", "authority": "executor:gate", "scope": "default", "subject": "node/n1"}),
            ),
        ),
        (
            "issue, a package that names it",
            run(
                |_| json!({"type": "issue", "authority": "operator:ann", "name": "next", "bindings": {"node_name": "n1"}}),
            ),
        ),
        (
            "redeem, under its name",
            run(
                |scene| json!({"type": "redeem", "token": scene.token, "fingerprint": "m", "node_name": "n1"}),
            ),
        ),
        (
            "ban",
            run(
                |_| json!({"type": "ban", "authority": "operator:ann", "scope": "default", "subject": "node/n1"}),
            ),
        ),
        (
            "unban",
            run(
                |_| json!({"type": "unban", "authority": "operator:ann", "scope": "default", "subject": "node/n1"}),
            ),
        ),
        ("its package is revoked", run(by_ann("revoke"))),
    ];
    table(
        "Subjects",
        "The node name `n1`, named by a package that activates on report; claimed: a node of a package that does not name it says that it is called so.",
        &scenes,
        &acts,
        &subject_state,
    )
}

// --- suspected clones -----------------------------------------------------------------------------------------------

/// A node that has checked in twice and names its attempts.
fn beating(by: &str) -> Scene {
    let mut scene = Scene::new(World::that_reacts(by));
    let (package, token) = scene.world.issue("edge", json!({}));
    (scene.package, scene.token) = (Some(package), token);
    let node = scene.world.redeemed(&scene.token.clone(), "m");
    scene.world.beat(&node, 1, Some("first"));
    scene.world.beat(&node, 2, Some("second"));
    scene.node = Some(node);
    scene
}

/// All uses of a token are spent, and another machine shows it.
fn shown_by_another(by: &str, uses: u32) -> Scene {
    let mut scene = Scene::new(World::that_reacts(by));
    let (package, token) = scene.world.issue("edge", json!({"max_uses": uses}));
    (scene.package, scene.token) = (Some(package), token);
    let mut machines = (1..uses).map(|number| format!("m{number}"));
    scene.node = Some(scene.world.redeemed(&scene.token.clone(), "m"));
    machines.by_ref().for_each(|machine| drop(scene.world.redeemed(&scene.token.clone(), &machine)));
    scene.world.redeem(&scene.token.clone(), "other");
    scene
}

fn clone_state(scene: &Scene) -> String {
    let (package, node) = (scene.world.package(scene.package()), scene.world.node(scene.node()));
    let lock = package.token.as_ref().is_some_and(|token| package.is_locked(token.generation));
    let lock = if lock { ", token locked" } else { "" };
    let kept_away = if node.is_live() && node.quarantined { ", in quarantine" } else { "" };
    format!("{}{lock}{kept_away}", node.status.as_str())
}

fn suspicions() -> String {
    let scenes: Scenes = vec![
        ("alert", || beating("alert")),
        ("lock", || beating("lock")),
        ("quarantine", || beating("quarantine")),
    ];
    let beat = |sequence: u64, attempt: Option<&'static str>| -> Act {
        Box::new(move |scene| {
            let node = scene.node.clone().unwrap();
            scene.world.beat(&node, sequence, attempt)
        })
    };
    let acts: Vec<(&str, Act)> = vec![
        ("check_in, the next number", beat(3, Some("third"))),
        ("check_in, the last number, the same attempt", beat(2, Some("second"))),
        ("check_in, the last number, another attempt", beat(2, Some("other"))),
        ("check_in, the last number, no attempt named", beat(2, None)),
        ("check_in, an older number", beat(1, Some("first"))),
        ("redeem by another", run(redeem("other"))),
    ];
    let about = "A node of a package of one use, which has checked in twice, by what the policy does about suspected clones.";
    table("Suspicions", about, &scenes, &acts, &clone_state)
}

fn suspects() -> String {
    let scenes: Scenes = vec![
        ("alert", || shown_by_another("alert", 1)),
        ("lock", || shown_by_another("lock", 1)),
        ("quarantine", || shown_by_another("quarantine", 1)),
        ("quarantine, of two uses", || shown_by_another("quarantine", 2)),
        ("quarantine, of a fleet", || shown_by_another("quarantine", 17)),
    ];
    let check_in =
        |scene: &Scene| json!({"type": "check_in", "node": scene.node(), "fingerprint": "m", "sequence": 1});
    let anew = |subject: &'static str| -> Act {
        Box::new(move |scene| {
            let newer = scene.world.reissue(scene.package(), json!({}));
            scene.world.redeem(&newer, subject)
        })
    };
    let acts: Vec<(&str, Act)> = vec![
        ("redeem by its node", run(redeem("m"))),
        ("redeem by another", run(redeem("other"))),
        ("check_in", run(check_in)),
        ("leave", run(|scene| json!({"type": "leave", "node": scene.node(), "fingerprint": "m"}))),
        ("reissue", run(by_ann("reissue"))),
        ("redeem, a reissued token", anew("m")),
        ("redeem, a reissued token by another", anew("other")),
        ("evict", run(|scene| json!({"type": "evict", "authority": "operator:ann", "node": scene.node()}))),
        (
            "ban",
            run(|_| json!({"type": "ban", "authority": "operator:ann", "scope": "default", "subject": "m"})),
        ),
    ];
    let about = "A package whose uses were spent, and then its token was shown by another machine, by what the policy does about that. The node is the first.";
    table("Suspects", about, &scenes, &acts, &clone_state)
}

// --- scopes ---------------------------------------------------------------------------------------------------------

fn configured(max_active: u32, issued: u32) -> Scene {
    let mut scene = Scene::new(World::new());
    scene.world.run(json!({"type": "configure_scope", "authority": "operator:ann", "scope": "default", "max_active": max_active}));
    for number in 0..issued {
        scene.package = Some(scene.world.apply(&format!("edge-{number}"), "a", json!({})).package);
    }
    scene.world.work();
    scene
}

fn unlimited() -> Scene {
    let mut scene = Scene::new(World::new());
    scene.package = Some(scene.world.apply("edge-0", "a", json!({})).package);
    scene.world.work();
    scene
}

fn leaving() -> Scene {
    let mut scene = configured(1, 1);
    scene.world.revoke(scene.package());
    scene
}

fn scope_state(scene: &Scene) -> String {
    match scene.world.ledger.get(&Key::Scope("default".parse().unwrap())) {
        Some(Record::Scope(scope)) => {
            let most = scope.max_active.map_or_else(|| "any".to_owned(), |most| most.to_string());
            format!("{} of {most} reserved, {} outstanding", scope.reserved, scope.outstanding)
        }
        None => "not configured".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn scopes() -> String {
    let scenes: Scenes = vec![
        ("not configured", unlimited),
        ("0 of 2 reserved", || configured(2, 0)),
        ("1 of 2 reserved", || configured(2, 1)),
        ("2 of 2 reserved", || configured(2, 2)),
        ("1 of 1 reserved, its client to be deleted", leaving),
    ];
    let issue = |more: Value| {
        move |_: &Scene| {
            let mut issue = json!({"type": "issue", "authority": "operator:ann", "name": "new"});
            issue.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            issue
        }
    };
    let acts: Vec<(&str, Act)> = vec![
        ("issue, one use", run(issue(json!({})))),
        ("issue, two uses", run(issue(json!({"max_uses": 2})))),
        ("issue, any number of uses", run(issue(json!({"max_uses": null})))),
        ("issue, in the place of the first", run(issue(json!({"name": "edge-0", "keepers": {"hash": "b"}})))),
        (
            "the last package is revoked",
            Box::new(|scene| match scene.package {
                Some(package) => scene.world.revoke(package),
                None => Answer::Reported(handfast::vocabulary::Changed { changed: false }),
            }),
        ),
        (
            "its client is deleted",
            Box::new(|scene| {
                if let Some(package) = scene.package {
                    scene.world.revoke(package);
                }
                scene.world.work();
                Answer::Reported(handfast::vocabulary::Changed { changed: false })
            }),
        ),
        (
            "configure, one",
            run(
                |_| json!({"type": "configure_scope", "authority": "operator:ann", "scope": "default", "max_active": 1}),
            ),
        ),
    ];
    table(
        "Scopes",
        "Each package has one use and a client upstream, unless its issue says otherwise.",
        &scenes,
        &acts,
        &scope_state,
    )
}

const HEAD: &str = "# What every command does in every state\n\n\
    Written by `core/tests/registrar/tables.rs` from what the registrar decides; reviewed by people, and compared by a\n\
    test. A column is a state, a row is a command. A cell is what comes of it: **the new state**; the facts that happen\n\
    while the state stays; `nothing`, when the answer is only given again; or `no:` and the code of the refusal.\n\n";

#[test]
fn the_tables_are_as_they_were_reviewed() {
    let tables = [
        HEAD.to_owned(),
        packages(),
        nodes(),
        suspicions(),
        suspects(),
        instances(),
        resources(),
        subjects(),
        scopes(),
    ]
    .concat();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables.md");
    let written = format!("{}\n", tables.trim_end());
    if update() {
        std::fs::write(&path, &written).unwrap();
    }
    let reviewed = std::fs::read_to_string(&path).unwrap();
    for (now, then) in written.lines().zip(reviewed.lines()) {
        assert_eq!(now, then, "UPDATE_TABLES=1 writes the tables anew, for review");
    }
    assert_eq!(written.lines().count(), reviewed.lines().count());
}

#[expect(clippy::disallowed_methods, reason = "tests may read the environment")]
fn update() -> bool {
    std::env::var_os("UPDATE_TABLES").is_some()
}

/// What the tables say is also what a dry run says.
#[test]
fn a_dry_run_says_the_same_as_the_tables() {
    let mut scene = delivered();
    let command = Command::from_value(by_ann("revoke")(&scene)).unwrap();
    let explanation =
        scene.world.registrar.explain(&command, &scene.world.ledger, Now::trusted(scene.world.now)).unwrap();
    let foretold = serde_json::to_value(explanation).unwrap();
    let known = scene.world.ledger.events().len();
    scene.world.run_command(&command);
    assert_eq!(foretold["facts"], json!(scene.world.facts().split_off(known)));
    assert!(policy().is_object());
}
