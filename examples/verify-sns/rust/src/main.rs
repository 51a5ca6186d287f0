//! verify-sns: says why an Amazon SNS message verifies, or does not.
//!
//! The same program exists in Rust, Python and Node, with the same command line and the same output.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use handfast::{
    crypto::default_backend,
    sns::{Options, Verdict, parse_duration, verify_once},
    time::Timestamp,
};

const HELP: &str = "\
usage: verify-sns MESSAGE.json --certificate FILE.pem --topic ARN --now RFC3339
                  [--max-age DURATION] [--legacy-rsa-1024] [--development]

Verifies one Amazon SNS message as it was posted and prints one line of JSON.

  MESSAGE.json         the body of the HTTP request
  --certificate FILE   the signing certificate, or a public key, in PEM
  --topic ARN          the topic that is expected
  --now RFC3339        the present, for example 2026-03-01T12:00:30Z
  --max-age DURATION   how old the message may be: 90s, 15m, 1h, 7d, or seconds; default 1h
  --legacy-rsa-1024    accept the 1024-bit certificates that SNS had until 2013
  --development        accept an emulator's certificate and certificate URL
  --help               print this

exit status: 0 verified, 1 rejected, 2 wrong usage
";

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(Answer::Help) => print(io::stdout(), HELP, 0),
        Ok(Answer::Verdict(verdict)) => {
            print(io::stdout(), &format!("{}\n", verdict.to_json()), verdict.exit_status())
        }
        Err(usage) => print(io::stderr(), &format!("verify-sns: {usage}\ntry verify-sns --help\n"), 2),
    }
}

enum Answer {
    Help,
    Verdict(Verdict),
}

#[derive(Default)]
struct Arguments {
    message: Option<String>,
    certificate: Option<String>,
    topic: Option<String>,
    now: Option<String>,
    max_age: Option<String>,
    legacy_rsa_1024: bool,
    development: bool,
}

fn run(mut words: impl Iterator<Item = String>) -> Result<Answer, String> {
    let mut arguments = Arguments::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        let replaced = match word.as_str() {
            "--help" | "-h" => return Ok(Answer::Help),
            "--certificate" => arguments.certificate.replace(value()?),
            "--topic" => arguments.topic.replace(value()?),
            "--now" => arguments.now.replace(value()?),
            "--max-age" => arguments.max_age.replace(value()?),
            "--legacy-rsa-1024" => {
                arguments.legacy_rsa_1024 = true;
                None
            }
            "--development" => {
                arguments.development = true;
                None
            }
            option if option.starts_with('-') => return Err(format!("unknown option {option}")),
            file => arguments.message.replace(file.to_owned()),
        };
        if replaced.is_some() {
            return Err(format!(
                "{} is given twice",
                if word.starts_with('-') { &word } else { "MESSAGE.json" }
            ));
        }
    }
    arguments.verify().map(Answer::Verdict)
}

impl Arguments {
    fn verify(self) -> Result<Verdict, String> {
        let message = required(self.message, "MESSAGE.json")?;
        let certificate = required(self.certificate, "--certificate")?;
        let topic = required(self.topic, "--topic")?;
        let now = required(self.now, "--now")?;
        let options = Options {
            topic: topic.parse().map_err(|_| format!("--topic {topic} is not the ARN of a topic"))?,
            max_age_seconds: self.max_age.map(|text| duration(&text)).transpose()?,
            legacy_rsa_1024: self.legacy_rsa_1024,
            development: self.development,
        };
        let now: Timestamp =
            now.parse().map_err(|_| format!("--now {now} is not a time such as 2026-03-01T12:00:30Z"))?;
        let message = read(&message)?;
        let certificate = read(&certificate)?;
        Ok(verify_once(&message, &certificate, &options, now, default_backend()))
    }
}

fn required(value: Option<String>, name: &str) -> Result<String, String> {
    value.ok_or_else(|| format!("{name} is missing"))
}

fn duration(text: &str) -> Result<u32, String> {
    parse_duration(text)
        .ok_or_else(|| format!("--max-age {text} is not a duration such as 90s, 15m, 1h or 7d"))
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read {path}: {error}"))
}

/// A reader that has gone away is no reason for another exit status.
fn print(mut to: impl Write, text: &str, status: u8) -> ExitCode {
    let _ = to.write_all(text.as_bytes());
    ExitCode::from(status)
}
