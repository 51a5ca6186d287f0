//! Commands: run by their words, never by a shell, for a limited time.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

/// Runs one, without the environment variables that hold secrets. What it prints goes nowhere: it may print the file.
pub(crate) fn run(argv: &[String], secrets: &[String], timeout: Duration) -> Result<(), String> {
    let Some((program, arguments)) = argv.split_first() else { return Err("no program".to_owned()) };
    let mut command = Command::new(program);
    command.args(arguments).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for name in secrets.iter().map(String::as_str).chain(["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]) {
        command.env_remove(name);
    }
    command.env_remove("NOTIFY_SOCKET");
    let child = command.spawn().map_err(|error| error.to_string())?;
    match wait(child, timeout).map_err(|error| error.to_string())? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(status.to_string()),
        None => Err(format!("killed after {:.1} seconds", timeout.as_secs_f32())),
    }
}

/// `None` when its time was up and it was killed, with everything that it had started.
fn wait(mut child: Child, timeout: Duration) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + timeout;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            group.map(|group| kill_process_group(group, Signal::KILL)).transpose()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    }
}
