//! `handfast package`: what an operator asks a provisioner for.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use handfast::Secret;
use serde_json::{Map, Value, json};

use crate::{
    failure::Failure,
    input,
    output::{self, Out, Place},
    provisioner::{Connection, Provisioner},
};

/// Ask a provisioner for packages.
#[derive(Debug, Subcommand)]
pub(crate) enum Package {
    /// Have a package made, and take its token
    Issue(Box<Issue>),
    /// Show one live package, or any by its id
    Show(One),
    /// List packages, the latest first
    List(List),
    /// Take a package's token, once
    Deliver(Deliver),
    /// Give a package a new token
    Reissue(Reissue),
    /// End a package; ending it twice is no failure
    Revoke(Revoke),
    /// End every live package that somebody has issued
    RevokeIssuedBy(RevokeIssuedBy),
    /// Show the history of a package
    Events(One),
}

impl Package {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Issue(issue) => issue.run(),
            Self::Show(one) => output::print(&one.wanted()?.1),
            Self::List(list) => list.run(),
            Self::Deliver(deliver) => deliver.run(),
            Self::Reissue(reissue) => reissue.run(),
            Self::Revoke(revoke) => revoke.run(),
            Self::RevokeIssuedBy(revoke) => revoke.run(),
            Self::Events(one) => {
                let (connection, package) = one.wanted()?;
                let path = format!("/packages/{}/events", id(&package)?);
                output::print(&all(&connection, &path, &[], "events", "after")?)
            }
        }
    }
}

/// A new package. Where one of the same name and the same keepers lives already, nothing new is made.
#[derive(Args, Debug)]
pub(crate) struct Issue {
    #[command(flatten)]
    provisioner: Provisioner,
    /// Its name, unique among the live packages of its scope
    #[arg(long)]
    name: String,
    /// Its scope
    #[arg(long)]
    scope: Option<String>,
    /// Its kind
    #[arg(long)]
    kind: Option<String>,
    /// A label; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    label: Vec<(String, String)>,
    /// What makes it another package when it changes; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    keeper: Vec<(String, String)>,
    /// Seconds until it expires unused
    #[arg(long)]
    ttl_seconds: Option<u32>,
    /// How many nodes may redeem it; 0 for any number
    #[arg(long)]
    max_uses: Option<u32>,
    /// An id of this request: the same again gives the same package, also after a lost reply
    #[arg(long)]
    request: Option<String>,
    /// A JSON array of contents, as the API takes them; - for standard input
    #[arg(long, value_name = "FILE")]
    contents: Option<PathBuf>,
    /// Do not take the token now
    #[arg(long, conflicts_with = "out")]
    no_deliver: bool,
    #[command(flatten)]
    out: Out,
}

impl Issue {
    fn run(&self) -> Result<(), Failure> {
        let place = place(&self.out, self.request.as_deref())?;
        let answer = self.provisioner.connect()?.post("/packages", &self.body()?)?;
        with_token(answer, place)
    }

    fn body(&self) -> Result<Value, Failure> {
        let mut body = Map::from_iter([("name".to_owned(), json!(self.name))]);
        let mut put =
            |name: &str, value: Option<Value>| body.extend(value.map(|value| (name.to_owned(), value)));
        put("scope", self.scope.as_ref().map(|scope| json!(scope)));
        put("kind", self.kind.as_ref().map(|kind| json!(kind)));
        put("labels", members(&self.label));
        put("keepers", members(&self.keeper));
        put("ttl_seconds", self.ttl_seconds.map(Value::from));
        put("max_uses", self.max_uses.map(|uses| if uses == 0 { Value::Null } else { uses.into() }));
        put("request", self.request.as_ref().map(|request| json!(request)));
        put("deliver", (!self.no_deliver).then_some(Value::Bool(true)));
        if let Some(path) = &self.contents {
            put("contents", Some(input::json(path, "--contents")?));
        }
        Ok(Value::Object(body))
    }
}

/// Which package.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// Its id
    #[arg(long, conflicts_with = "name", required_unless_present = "name")]
    id: Option<String>,
    /// Its name: the live package that bears it
    #[arg(long)]
    name: Option<String>,
    /// The scope of the name
    #[arg(long, default_value = "default", conflicts_with = "id")]
    scope: String,
    /// Only if it was made with this keeper: the one that took its place has others. May be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    keeper: Vec<(String, String)>,
}

impl Which {
    fn find(&self, connection: &Connection) -> Result<Option<Value>, Failure> {
        let found = match (&self.id, &self.name) {
            (Some(id), _) => Some(connection.get(&format!("/packages/{}", segment(id)?), &[])?),
            (None, Some(name)) => self.by_name(connection, name)?,
            (None, None) => None,
        };
        Ok(found.filter(|package| self.keeper.iter().all(|(key, value)| keeper(package, key) == Some(value))))
    }

    fn by_name(&self, connection: &Connection, name: &str) -> Result<Option<Value>, Failure> {
        let query = [("scope", &*self.scope), ("name", name)];
        let Value::Array(packages) = all(connection, "/packages", &query, "packages", "cursor")? else {
            return Ok(None);
        };
        let is_it = |package: &Value| package.pointer("/issued/name").is_some_and(|found| found == name);
        Ok(packages.into_iter().find(|package| is_it(package) && is_live(package)))
    }
}

/// One package of a provisioner.
#[derive(Args, Debug)]
pub(crate) struct One {
    #[command(flatten)]
    provisioner: Provisioner,
    #[command(flatten)]
    which: Which,
}

impl One {
    fn wanted(&self) -> Result<(Connection, Value), Failure> {
        let connection = self.provisioner.connect()?;
        let package = self.which.find(&connection)?;
        Ok((connection, package.ok_or_else(|| Failure::other("there is no such package"))?))
    }
}

/// Filters; all that is given must hold.
#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    provisioner: Provisioner,
    /// In this scope
    #[arg(long)]
    scope: Option<String>,
    /// Of this kind
    #[arg(long)]
    kind: Option<String>,
    /// With this status
    #[arg(long)]
    status: Option<String>,
    /// With a name that begins so
    #[arg(long)]
    name: Option<String>,
    /// With this label
    #[arg(long, value_name = "KEY=VALUE")]
    label: Option<String>,
}

impl List {
    fn run(&self) -> Result<(), Failure> {
        let given = [
            ("scope", &self.scope),
            ("kind", &self.kind),
            ("status", &self.status),
            ("name", &self.name),
            ("label", &self.label),
        ];
        let query: Vec<_> =
            given.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        output::print(&all(&self.provisioner.connect()?, "/packages", &query, "packages", "cursor")?)
    }
}

/// A package whose token is taken.
#[derive(Args, Debug)]
pub(crate) struct Deliver {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    out: Out,
}

impl Deliver {
    fn run(&self) -> Result<(), Failure> {
        let place = self.out.place()?;
        let (connection, package) = self.one.wanted()?;
        with_token(connection.post(&format!("/packages/{}/deliver", id(&package)?), &json!({}))?, place)
    }
}

/// A package that gets a new token.
#[derive(Args, Debug)]
pub(crate) struct Reissue {
    #[command(flatten)]
    one: One,
    /// The old token works until the new one is used first
    #[arg(long)]
    make_before_break: bool,
    /// An id of this request: the same again gives the same token, also after a lost reply
    #[arg(long)]
    request: Option<String>,
    #[command(flatten)]
    out: Out,
}

impl Reissue {
    fn run(&self) -> Result<(), Failure> {
        let place = place(&self.out, self.request.as_deref())?;
        let (connection, package) = self.one.wanted()?;
        let mut body = json!({ "make_before_break": self.make_before_break, "deliver": true });
        if let (Some(request), Some(members)) = (&self.request, body.as_object_mut()) {
            members.insert("request".to_owned(), json!(request));
        }
        with_token(connection.post(&format!("/packages/{}/reissue", id(&package)?), &body)?, place)
    }
}

/// A package that ends.
#[derive(Args, Debug)]
pub(crate) struct Revoke {
    #[command(flatten)]
    provisioner: Provisioner,
    #[command(flatten)]
    which: Which,
    /// Why, for the audit
    #[arg(long)]
    reason: Option<String>,
}

impl Revoke {
    /// Where there is no such live package, it has ended: what is asked for is so.
    fn run(&self) -> Result<(), Failure> {
        let connection = self.provisioner.connect()?;
        let Some(package) = self.which.find(&connection)? else {
            return output::print(&json!({ "type": "revoked", "found": false }));
        };
        let path = format!("/packages/{}/revoke", id(&package)?);
        output::print(&connection.post(&path, &reason(self.reason.as_deref()))?)
    }
}

/// An operator, or a token of one, that must not have issued anything.
#[derive(Args, Debug)]
pub(crate) struct RevokeIssuedBy {
    #[command(flatten)]
    provisioner: Provisioner,
    /// Who issued them, as the events have it, for example operator:ann
    actor: String,
    /// Only what was issued since then, in RFC 3339
    #[arg(long)]
    since: Option<String>,
    /// Say which ones, and end none
    #[arg(long)]
    dry_run: bool,
    /// Why, for the audit
    #[arg(long)]
    reason: Option<String>,
}

impl RevokeIssuedBy {
    fn run(&self) -> Result<(), Failure> {
        let connection = self.provisioner.connect()?;
        let mut query = vec![("actor", &*self.actor), ("code", "package_issued"), ("limit", "500")];
        query.extend(self.since.as_deref().map(|since| ("since", since)));
        let Value::Array(issued) = all(&connection, "/events", &query, "events", "cursor")? else {
            return Err(Failure::Unreachable("the provisioner answers what is no history".to_owned()));
        };
        let mut ended = Vec::new();
        for package in issued.iter().filter_map(issued_package) {
            let path = format!("/packages/{}", segment(package)?);
            if !is_live(&connection.get(&path, &[])?) {
                continue;
            }
            if !self.dry_run {
                connection.post(&format!("{path}/revoke"), &reason(self.reason.as_deref()))?;
            }
            ended.push(package);
        }
        output::print(&json!({ "revoked": ended, "dry_run": self.dry_run }))
    }
}

fn issued_package(event: &Value) -> Option<&str> {
    event.pointer("/event/key")?.as_str()?.strip_prefix("package/")
}

fn reason(reason: Option<&str>) -> Value {
    reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }))
}

/// Where the token is to go. What is asked for by its id can be asked for again, and may have been written by then.
fn place(out: &Out, request: Option<&str>) -> Result<Place, Failure> {
    if request.is_some() { out.place_or_kept() } else { out.place() }
}

/// Puts the token of an answer where it is wanted. It was handed over by now: where it can go nowhere, that is said.
fn with_token(mut answer: Value, place: Place) -> Result<(), Failure> {
    let package = answer.get("package").and_then(Value::as_str).unwrap_or_default().to_owned();
    let lost = |failure: Failure| {
        let remedy = "reissue it, or ask again by the same --request";
        Failure::Unwritten(format!("{failure}; what package {package} has handed over is lost: {remedy}"))
    };
    let (is_shown, is_new) = (matches!(place, Place::Document), matches!(place, Place::File(_)));
    let token = answer.get("token").and_then(Value::as_str).map(|token| Secret::new(token.to_owned()));
    let Some(token) = token else {
        output::print(&answer).map_err(lost)?;
        let message = "--out: no token was handed over, and no file made; reissue gives a new one";
        return if is_new { Err(Failure::Unwritten(message.to_owned())) } else { Ok(()) };
    };
    let given = place.give(&token).map_err(lost)?;
    if let Some(token) = answer.get_mut("token") {
        *token = given;
    }
    output::print(&answer).map_err(|failure| if is_shown { lost(failure) } else { failure })
}

/// All pages of a list.
fn all(
    connection: &Connection,
    path: &str,
    query: &[(&str, &str)],
    name: &str,
    cursor: &str,
) -> Result<Value, Failure> {
    let (mut entries, mut next) = (Vec::new(), None::<String>);
    loop {
        let mut query = query.to_vec();
        query.extend(next.as_deref().map(|next| (cursor, next)));
        let mut page = connection.get(path, &query)?;
        let Some(Value::Array(some)) = page.get_mut(name).map(Value::take) else {
            return Err(Failure::Unreachable("the provisioner answers what is no list".to_owned()));
        };
        let is_last = some.is_empty(); // a feed has a next page for ever
        entries.extend(some);
        next = match page.get("next") {
            Some(Value::String(text)) if !is_last => Some(text.clone()),
            Some(Value::Number(number)) if !is_last => Some(number.to_string()),
            _ => return Ok(Value::Array(entries)),
        };
    }
}

fn id(package: &Value) -> Result<&str, Failure> {
    let id = package.get("id").and_then(Value::as_str);
    id.ok_or_else(|| Failure::Unreachable("the provisioner answers what is no package".to_owned()))
}

/// An id goes into a path as it is.
fn segment(id: &str) -> Result<&str, Failure> {
    let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_plain.then_some(id).ok_or_else(|| Failure::other("--id: expected the id of a package"))
}

fn is_live(package: &Value) -> bool {
    matches!(package.get("status").and_then(Value::as_str), Some("created" | "delivered" | "activated"))
}

fn keeper<'a>(package: &'a Value, key: &str) -> Option<&'a str> {
    package.pointer("/issued/keepers")?.get(key)?.as_str()
}

fn members(pairs: &[(String, String)]) -> Option<Value> {
    let members: Map<String, Value> = pairs.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    (!members.is_empty()).then_some(Value::Object(members))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
