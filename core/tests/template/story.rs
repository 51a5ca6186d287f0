//! The machine, with a clock and dice of our own.

use handfast::{
    code::Code,
    secret::Secret,
    template::{Emissary, Reference, Schedule, Step, Supply, Template},
    time::Timestamp,
};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

/// A machine, and the world around it.
struct World {
    emissary: Emissary,
    start: Timestamp,
    now: Timestamp,
    rng: StdRng,
}

/// What was to be done, as a line that a test compares.
type Done = String;

impl World {
    fn new(front: &str, body: &str) -> Self {
        let file = format!("---\nmode: 0400\ndest: /etc/app.conf\n{front}---\n{body}");
        let start: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let emissary = Emissary::new(Template::parse(&file).unwrap(), Schedule::default(), start);
        Self { emissary, start, now: start, rng: StdRng::seed_from_u64(7) }
    }

    fn step(&mut self) -> Done {
        match self.emissary.step(self.now) {
            Step::Poll(due) => {
                format!("poll {}", due.iter().map(Reference::id).collect::<Vec<_>>().join(","))
            }
            Step::WriteFile(write) => {
                format!("write {} {} {}", write.path, write.mode, write.content.expose())
            }
            Step::RunCommand(run) => format!("run {:?} {}s", run.argv, run.timeout_seconds),
            Step::Wait(until) => match until {
                None => "wait".to_owned(),
                Some(at) => format!("wait {}", (at.unix_millis() - self.now.unix_millis()) / 1000),
            },
            Step::Failed(error) => format!("failed {}", error.code()),
        }
    }

    fn supply(&mut self, id: &str, supply: Supply) {
        let reference = Reference::new("p", id).unwrap();
        self.emissary.supply(&reference, supply, self.now, &mut self.rng).unwrap();
    }

    fn value(&mut self, id: &str, value: &str) {
        self.supply(id, Supply::Value(Secret::new(value.to_owned())));
    }

    fn report(&mut self, done: bool) {
        self.emissary.report(done, self.now, &mut self.rng).unwrap();
    }

    fn pass(&mut self, seconds: u32) {
        self.now = self.now.plus_seconds(seconds);
    }

    /// Sleeps as the machine says, and gives the seconds.
    fn sleep(&mut self) -> f64 {
        let Step::Wait(Some(until)) = self.emissary.step(self.now) else { panic!("nothing to wait for") };
        let millis = until.unix_millis() - self.now.unix_millis();
        self.now = until;
        f64::from(i32::try_from(millis).unwrap()) / 1000.0
    }
}

const TWO: &str = "{{poll \"p\" \"a\"}}:{{poll \"p\" \"b\"}}";

#[test]
fn the_file_is_written_when_all_are_there_and_then_the_command_runs() {
    let mut world = World::new("onrender: systemctl reload app\n", TWO);
    assert_eq!(world.step(), "poll a,b");
    world.value("b", "2");
    assert_eq!(world.step(), "poll a");
    assert_eq!(world.emissary.waits_for().count(), 1);
    world.value("a", "1");
    assert!(!world.emissary.is_settled());
    assert_eq!(world.step(), "write /etc/app.conf 0400 1:2");
    assert_eq!(world.step(), "write /etc/app.conf 0400 1:2", "it is asked for until it is reported");
    world.report(true);
    assert_eq!(world.step(), "run [\"systemctl\", \"reload\", \"app\"] 30s");
    assert!(!world.emissary.is_settled());
    world.report(true);
    assert!(world.emissary.is_settled());
    assert!(world.step().starts_with("wait "));
}

#[test]
fn a_template_without_secrets_is_written_once() {
    let mut world = World::new("", "x");
    assert_eq!(world.step(), "write /etc/app.conf 0400 x");
    world.report(true);
    assert_eq!(world.step(), "wait");
    assert_eq!(world.emissary.next_poll(), None);
}

#[test]
fn a_change_is_written_again_and_what_is_the_same_is_not() {
    let mut world = World::new("onrender: reload\n", TWO);
    world.value("a", "1");
    world.value("b", "2");
    world.step();
    world.report(true);
    world.step();
    world.report(true);
    let slept = world.sleep();
    assert!((150.0..=300.0).contains(&slept), "{slept}");
    world.pass(300);
    assert_eq!(world.step(), "poll a,b");
    world.value("a", "1");
    world.value("b", "2");
    assert!(world.emissary.is_settled());
    assert!(world.step().starts_with("wait "), "nothing has changed");
    world.pass(300);
    world.value("a", "1:2");
    assert_eq!(world.step(), "write /etc/app.conf 0400 1:2:2");
    world.value("a", "1");
    assert_eq!(world.step(), "poll b", "the bytes are those in place again");
    world.value("b", "3");
    assert_eq!(world.step(), "write /etc/app.conf 0400 1:3");
    world.report(true);
    assert_eq!(world.step(), "run [\"reload\"] 30s");
}

#[test]
fn the_same_bytes_of_other_values_are_no_change() {
    let mut world = World::new("onrender: reload\n", "{{poll \"p\" \"a\"}}{{poll \"p\" \"b\"}}");
    world.value("a", "12");
    world.value("b", "3");
    world.step();
    world.report(true);
    world.step();
    world.report(true);
    world.value("a", "1");
    world.value("b", "23");
    assert!(world.step().starts_with("wait "));
    assert!(world.emissary.is_settled());
}

#[test]
fn what_fails_is_tried_again_later_and_later() {
    let mut world = World::new("onrender: reload\n", "{{poll \"p\" \"a\"}}");
    world.value("a", "1");
    world.step();
    world.report(false);
    assert!((0.5..=1.0).contains(&world.sleep()));
    assert_eq!(world.step(), "write /etc/app.conf 0400 1");
    world.report(true);
    for (least, most) in [(0.5, 1.0), (1.0, 2.0), (2.0, 4.0)] {
        assert_eq!(world.step(), "run [\"reload\"] 30s");
        world.report(false);
        let slept = world.sleep();
        assert!((least..=most).contains(&slept), "{slept}");
    }
    world.step();
    world.report(true);
    assert!(world.emissary.is_settled());
}

#[test]
fn a_command_that_keeps_failing_does_not_hide_a_change() {
    let mut world = World::new("onrender: reload\n", "{{poll \"p\" \"a\"}}");
    world.value("a", "1");
    world.step();
    world.report(true);
    world.step();
    world.report(false);
    world.value("a", "2");
    assert_eq!(world.step(), "write /etc/app.conf 0400 2");
    world.report(true);
    assert_eq!(world.step(), "run [\"reload\"] 30s");
}

#[test]
fn a_missing_secret_is_asked_for_with_back_off_and_jitter() {
    let mut world = World::new("", "{{poll \"p\" \"a\"}}");
    let mut slept = Vec::new();
    for answer in [Supply::Missing, Supply::Unavailable].into_iter().cycle().take(12) {
        assert_eq!(world.step(), "poll a");
        world.supply("a", answer);
        slept.push(world.sleep());
    }
    for (place, slept) in slept.iter().enumerate() {
        let most = 2_f64.powi(i32::try_from(place).unwrap()).min(60.0);
        assert!((most / 2.0..=most).contains(slept), "{slept} at {place}");
    }
    let whole = slept.iter().filter(|slept| slept.fract() == 0.0).count();
    assert!(whole < 4, "no jitter in {slept:?}");
    world.value("a", "1");
    assert_eq!(world.step(), "write /etc/app.conf 0400 1");
}

#[test]
fn two_machines_do_not_ask_at_once() {
    let sleep = |seed| {
        let mut world = World::new("", "{{poll \"p\" \"a\"}}");
        world.rng = StdRng::seed_from_u64(seed);
        world.supply("a", Supply::Missing);
        world.sleep()
    };
    assert_ne!(sleep(1), sleep(2));
    assert_eq!(sleep(1), sleep(1), "the dice decide, and nothing else");
}

#[test]
fn a_default_stands_in_until_the_secret_comes() {
    let front = "secrets: { a: { provider: p, id: a, missing: default, default: none }, b: { provider: p, id: b, missing: optional } }\n";
    let mut world = World::new(front, TWO);
    world.supply("a", Supply::Unavailable);
    world.supply("b", Supply::Missing);
    assert!(
        world.step().starts_with("wait "),
        "a provider that cannot be asked has not said that there is none"
    );
    world.sleep();
    assert_eq!(world.step(), "poll a");
    world.supply("a", Supply::Missing);
    assert_eq!(world.step(), "write /etc/app.conf 0400 none:");
    world.report(true);
    world.pass(300);
    assert_eq!(world.step(), "poll a,b");
    world.value("a", "1");
    world.value("b", "2");
    assert_eq!(world.step(), "write /etc/app.conf 0400 1:2");
    world.report(true);
    world.pass(300);
    world.supply("a", Supply::Missing);
    world.supply("b", Supply::Unavailable);
    assert!(world.emissary.is_settled(), "a value that has come stays");
}

#[test]
fn a_default_with_a_deadline_waits_for_it() {
    let front =
        "secrets: { a: { provider: p, id: a, missing: default, default: none, deadline_seconds: 10 } }\n";
    let mut world = World::new(front, "{{poll \"p\" \"a\"}}");
    for answer in [Supply::Missing, Supply::Unavailable, Supply::Missing] {
        assert_eq!(world.step(), "poll a");
        world.supply("a", answer);
        world.sleep();
    }
    world.now = world.start.plus_seconds(9);
    world.supply("a", Supply::Unavailable);
    world.supply("a", Supply::Unavailable);
    assert!(world.step().starts_with("wait "));
    world.now = world.start.plus_seconds(10);
    assert_eq!(world.step(), "write /etc/app.conf 0400 none");
}

#[test]
fn a_deadline_ends_it_and_not_a_moment_before() {
    let front = "secrets: { a: { provider: p, id: a, missing: fail, deadline_seconds: 10 } }\n";
    let mut world = World::new(front, TWO);
    world.supply("a", Supply::Missing);
    world.value("b", "2");
    world.now = Timestamp::from_unix_millis(world.start.unix_millis() + 9_999).unwrap();
    assert_eq!(world.step(), "poll a");
    world.supply("a", Supply::Missing);
    assert_eq!(
        world.emissary.step(world.now).wait(),
        Some(world.start.plus_seconds(10)),
        "it wakes for the deadline"
    );
    world.now = world.start.plus_seconds(10);
    assert_eq!(world.step(), "failed template_deadline");
    world.value("a", "1");
    assert_eq!(world.step(), "failed template_deadline", "for good");
    assert_eq!(world.emissary.next_poll(), None);
}

#[test]
fn nobody_is_late_before_an_answer() {
    for (missing, end) in [("fail", "failed template_deadline"), ("optional", "write /etc/app.conf 0400 []")]
    {
        let front =
            format!("secrets: {{ a: {{ provider: p, id: a, missing: {missing}, deadline_seconds: 10 }} }}\n");
        let mut world = World::new(&front, "[{{poll \"p\" \"a\"}}]");
        world.pass(60);
        assert_eq!(world.step(), "poll a", "the host was busy with something else");
        world.value("a", "1");
        assert_eq!(world.step(), "write /etc/app.conf 0400 [1]");
        let mut world = World::new(&front, "[{{poll \"p\" \"a\"}}]");
        world.pass(60);
        assert_eq!(world.step(), "poll a");
        world.supply("a", Supply::Unavailable);
        assert_eq!(world.step(), end, "one answer is enough, whatever it is");
    }
}

#[test]
fn one_that_is_there_in_time_has_no_deadline() {
    let front = "secrets: { a: { provider: p, id: a, missing: fail, deadline_seconds: 10 } }\n";
    let mut world = World::new(front, "{{poll \"p\" \"a\"}}");
    world.value("a", "1");
    world.pass(100);
    assert_eq!(world.step(), "write /etc/app.conf 0400 1");
}

#[test]
fn a_refusal_ends_what_has_not_begun_and_spares_what_is_in_place() {
    let mut world = World::new("", TWO);
    world.value("b", "2");
    world.supply("a", Supply::Refused);
    assert_eq!(world.step(), "failed template_refused");
    let mut world = World::new("", "{{poll \"p\" \"a\"}}");
    world.value("a", "1");
    world.step();
    world.report(true);
    world.pass(300);
    world.supply("a", Supply::Refused);
    assert!(world.emissary.is_settled());
    assert!((0.5..=1.0).contains(&world.sleep()), "it is tried again");
}

#[test]
fn a_refusal_ends_nothing_that_has_a_substitute() {
    let front = "secrets: { a: { provider: p, id: a, missing: default, default: none }, b: { provider: p, id: b, missing: optional } }\n";
    let mut world = World::new(front, TWO);
    world.supply("a", Supply::Refused);
    world.value("b", &"x".repeat(64 * 1024 + 1));
    assert_eq!(world.step(), "write /etc/app.conf 0400 none:");
    world.report(true);
    world.pass(300);
    assert_eq!(world.step(), "poll a,b", "it is asked for again");
    world.value("a", "1");
    world.supply("b", Supply::Refused);
    assert_eq!(world.step(), "write /etc/app.conf 0400 1:");
}

#[test]
fn a_refusal_is_waited_for_until_the_deadline_of_a_substitute() {
    let front = "secrets: { a: { provider: p, id: a, missing: optional, deadline_seconds: 2 }, b: { provider: p, id: b, missing: default, default: none, deadline_seconds: 4 } }\n";
    let mut world = World::new(front, TWO);
    world.supply("a", Supply::Refused);
    world.supply("b", Supply::Refused);
    assert!(world.step().starts_with("wait "), "the permission may still come");
    world.pass(2);
    assert_eq!(world.step(), "poll a,b");
    world.supply("b", Supply::Refused);
    world.supply("a", Supply::Refused);
    world.pass(2);
    assert_eq!(world.step(), "write /etc/app.conf 0400 :none");
}

#[test]
fn a_refusal_ends_what_must_be_there_in_time_at_once() {
    let front = "secrets: { a: { provider: p, id: a, missing: fail, deadline_seconds: 10 } }\n";
    let mut world = World::new(front, "{{poll \"p\" \"a\"}}");
    world.supply("a", Supply::Refused);
    assert_eq!(world.step(), "failed template_refused");
}

#[test]
fn a_value_that_is_too_large_is_refused() {
    let mut world = World::new("", "{{poll \"p\" \"a\"}}");
    world.value("a", &"x".repeat(64 * 1024 + 1));
    assert_eq!(world.step(), "failed template_refused");
}

#[test]
fn an_empty_value_is_a_value() {
    let mut world = World::new("", "[{{poll \"p\" \"a\"}}]");
    world.value("a", "");
    assert_eq!(world.step(), "write /etc/app.conf 0400 []");
}

#[test]
fn what_the_engine_refuses_ends_it() {
    let front = "syntax: jinja\nsecrets: { a: { provider: p, id: a } }\n";
    let mut world = World::new(front, "{{ a | int }}");
    world.value("a", "hunter2");
    assert_eq!(world.step(), "failed template_render");
}

#[test]
fn misuse_is_said() {
    let mut world = World::new("", "{{poll \"p\" \"a\"}}");
    let stranger = Reference::new("p", "z").unwrap();
    let error = world.emissary.supply(&stranger, Supply::Missing, world.now, &mut world.rng).unwrap_err();
    assert_eq!(error.code(), Code::Misuse);
    assert_eq!(world.emissary.report(true, world.now, &mut world.rng).unwrap_err().code(), Code::Misuse);
    world.value("a", "1");
    world.step();
    world.report(true);
    assert_eq!(world.emissary.report(true, world.now, &mut world.rng).unwrap_err().code(), Code::Misuse);
}

#[test]
fn a_clock_that_goes_back_only_delays() {
    let mut world = World::new("", "{{poll \"p\" \"a\"}}");
    world.supply("a", Supply::Missing);
    world.now = world.now.minus_seconds(3600);
    assert!(world.step().starts_with("wait 36"));
    world.now = world.start.plus_seconds(60);
    assert_eq!(world.step(), "poll a");
}

#[test]
fn it_does_not_show_its_secrets() {
    let mut world = World::new("", "{{poll \"p\" \"a\"}}");
    world.value("a", "hunter2");
    let Step::WriteFile(write) = world.emissary.step(world.now) else { panic!("all are there") };
    assert!(!format!("{write:?}").contains("hunter2"));
    assert!(
        !format!("{:?} {:?}", world.emissary, Supply::Value(Secret::new("hunter2".to_owned())))
            .contains("hunter2")
    );
}

trait Wait {
    fn wait(&self) -> Option<Timestamp>;
}

impl Wait for Step<'_> {
    fn wait(&self) -> Option<Timestamp> {
        match self {
            Step::Wait(until) => *until,
            other => panic!("{other:?}"),
        }
    }
}

/// A world that answers at random. Whatever it does: a file is written only with all values, never twice with the same
/// bytes, the command runs only after a write, and once everything works, all is settled with the latest values.
fn play(actions: &[(u8, u8, u8)]) {
    let mut world = World::new("onrender: reload\n", TWO);
    let mut latest = [None, None];
    let (mut written, mut owed) = (None, false);
    for (action, which, value) in actions {
        let (id, place) = if which % 2 == 0 { ("a", 0) } else { ("b", 1) };
        match action % 8 {
            0 | 1 => {
                world.value(id, &value.to_string());
                latest[place] = Some(*value);
            }
            2 => world.supply(id, Supply::Missing),
            3 => world.supply(id, Supply::Unavailable),
            4 => world.pass(u32::from(*value)),
            _ => perform(&mut world, value % 4 != 0, &latest, &mut written, &mut owed),
        }
    }
    for (place, id) in ["a", "b"].into_iter().enumerate() {
        world.value(id, "7");
        latest[place] = Some(7);
    }
    while !world.emissary.is_settled() {
        world.pass(60);
        perform(&mut world, true, &latest, &mut written, &mut owed);
    }
    assert_eq!((written.as_deref(), owed), (Some("7:7"), false));
}

fn perform(
    world: &mut World,
    works: bool,
    latest: &[Option<u8>; 2],
    written: &mut Option<String>,
    owed: &mut bool,
) {
    match world.emissary.step(world.now) {
        Step::WriteFile(write) => {
            let content = write.content.expose().to_owned();
            assert_eq!(content, format!("{}:{}", latest[0].unwrap(), latest[1].unwrap()));
            assert_ne!(Some(&content), written.as_ref(), "written twice");
            world.report(works);
            if works {
                (*written, *owed) = (Some(content), true);
            }
        }
        Step::RunCommand(_) => {
            assert!(*owed, "nothing was written");
            world.report(works);
            *owed &= !works;
        }
        Step::Poll(due) => assert!(!due.is_empty()),
        Step::Wait(until) => assert!(until.unwrap() > world.now),
        Step::Failed(error) => panic!("{error}"),
    }
}

proptest! {
    #[test]
    fn any_history_ends_well(actions in prop::collection::vec((any::<u8>(), any::<u8>(), any::<u8>()), 0..80)) {
        play(&actions);
    }
}
