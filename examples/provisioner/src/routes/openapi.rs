//! `GET /api/openapi.json`: the interface as an OpenAPI 3.1 document. The schemas of bodies are the core's own, made from the
//! types that read and write them; only what HTTP adds is written down here.

use std::sync::OnceLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use handfast::schema;
use serde_json::{Map, Value, json};

use super::status;

/// The document, made once.
pub(super) async fn show() -> Response {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let text = DOCUMENT.get_or_init(|| document().to_string());
    ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}

fn document() -> Value {
    let definitions = Definitions::read();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "provisioner",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0 OR MIT" },
            "description": description(),
        },
        "paths": paths(&definitions),
        "components": {
            "schemas": definitions.schemas(),
            "securitySchemes": {
                "operator": { "type": "http", "scheme": "bearer", "description": "An operator's token, `hfo_..`." },
                "node": {
                    "type": "http", "scheme": "DPoP",
                    "description": "RFC 9449: `Authorization: DPoP` with an enrollment token or a node credential, and a proof \
                        for this very request in the header `DPoP`. A 401 with `DPoP-Nonce` asks for the same once more, with \
                        that nonce.",
                },
            },
        },
    })
}

fn description() -> String {
    let mut text = "Enrols machines. Every error is `{\"code\", \"message\"}`. No response may be cached.\n\n\
        What the rules do not allow is refused with these statuses. An operator is told the code, a node its class only; \
        and an operator is told with 409 that something has ended.\n\n\
        | status | codes |\n|---|---|\n"
        .to_owned();
    for (status, codes) in status::table() {
        text.push_str(&format!("| {status} | {} |\n", codes.join(", ")));
    }
    text
}

/// The core's schemas.
struct Definitions(Map<String, Value>);

impl Definitions {
    fn read() -> Self {
        let document = schema::document().to_string().replace("#/$defs/", "#/components/schemas/");
        let mut document: Value = serde_json::from_str(&document).unwrap_or_default();
        match document.get_mut("$defs").map(Value::take) {
            Some(mut definitions) => {
                as_lenient_as_we_are(&mut definitions);
                Self(definitions.as_object().cloned().unwrap_or_default())
            }
            None => Self(Map::new()),
        }
    }

    /// The members of an action, without its type and without what the path or the headers say.
    fn action(&self, name: &str, elsewhere: &[&str]) -> Value {
        let mut schema = self.variant("Action", name);
        for name in [&["type"], elsewhere].concat() {
            if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
                properties.remove(name);
            }
            if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
                required.retain(|required| required != name);
            }
        }
        schema
    }

    /// One of the kinds of a tagged union.
    fn variant(&self, union: &str, name: &str) -> Value {
        let variants = self.0.get(union).and_then(|union| union.get("oneOf")).and_then(Value::as_array);
        let is_it =
            |variant: &&Value| variant.pointer("/properties/type/const").is_some_and(|kind| kind == name);
        variants.and_then(|variants| variants.iter().find(is_it)).cloned().unwrap_or_default()
    }

    fn schemas(&self) -> Value {
        let problem = json!({
            "type": "object", "required": ["code", "message"],
            "properties": {
                "code": { "type": "string", "description": "Stable." },
                "message": { "type": "string", "description": "For people." },
                "reason": { "type": "string", "description": "What the operator's own rule said." },
            },
        });
        let mut schemas = self.0.clone();
        schemas.insert("Problem".into(), problem);
        schemas.into()
    }
}

/// An item that is given twice in a set counts once, and serde lets a kind without members have some.
fn as_lenient_as_we_are(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.remove("uniqueItems");
            let properties = members.get("properties").and_then(Value::as_object);
            if properties.is_some_and(|properties| properties.len() == 1 && properties.contains_key("type")) {
                members.remove("additionalProperties");
            }
            members.values_mut().for_each(as_lenient_as_we_are);
        }
        Value::Array(items) => items.iter_mut().for_each(as_lenient_as_we_are),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// One operation under construction.
struct Operation(Value);

impl Operation {
    fn new(id: &str, summary: &str, security: &str) -> Self {
        let security = if security.is_empty() { json!([]) } else { json!([{ security: [] }]) };
        Self(
            json!({ "operationId": id, "summary": summary, "security": security, "responses": {}, "parameters": [] }),
        )
    }

    /// A parameter of the path or of the query.
    fn parameter(mut self, place: &str, name: &str, schema: Value, description: &str) -> Self {
        let parameter = json!({
            "in": place, "name": name, "required": place == "path", "schema": schema, "description": description,
        });
        if let Some(parameters) = self.0.get_mut("parameters").and_then(Value::as_array_mut) {
            parameters.push(parameter);
        }
        self
    }

    fn body(mut self, required: bool, schema: Value) -> Self {
        let body = json!({ "required": required, "content": { "application/json": { "schema": schema } } });
        self.insert("requestBody", body);
        self
    }

    fn gives(self, status: u16, description: &str, schema: Value) -> Self {
        let content = json!({ "application/json": { "schema": schema } });
        self.response(status, json!({ "description": description, "content": content }))
    }

    fn gives_text(self, media_type: &str, description: &str) -> Self {
        let content = json!({ media_type: { "schema": { "type": "string" } } });
        self.response(200, json!({ "description": description, "content": content }))
    }

    /// The errors that it may end with.
    fn or(self, statuses: &[u16]) -> Self {
        statuses.iter().fold(self, |operation, status| {
            let content = json!({ "application/json": { "schema": reference("Problem") } });
            operation.response(*status, json!({ "description": reason(*status), "content": content }))
        })
    }

    fn response(mut self, status: u16, response: Value) -> Self {
        if let Some(responses) = self.0.get_mut("responses").and_then(Value::as_object_mut) {
            responses.insert(status.to_string(), response);
        }
        self
    }

    fn insert(&mut self, name: &str, value: Value) {
        if let Some(members) = self.0.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "Not well-formed.",
        401 => "Not authenticated.",
        403 => "Not allowed.",
        404 => "Nothing is here for you.",
        409 => "It collides with what already is.",
        413 => "Too large.",
        415 => "Not JSON.",
        _ => "Not now: try again later.",
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

const OPERATOR: &str = "operator";
const NODE: &str = "node";
/// What reading may end with.
const READ: &[u16] = &[400, 401, 403, 404, 503];
/// What a change by an operator may end with.
const WRITE: &[u16] = &[400, 401, 403, 404, 409, 413, 415, 503];

fn paths(definitions: &Definitions) -> Value {
    let mut paths = packages(definitions);
    for more in [nodes(definitions), subjects(definitions), scopes(definitions), others()] {
        if let (Some(paths), Value::Object(more)) = (paths.as_object_mut(), more) {
            paths.extend(more);
        }
    }
    paths
}

fn packages(definitions: &Definitions) -> Value {
    let id = |operation: Operation| operation.parameter("path", "id", reference("PackageId"), "The package.");
    let act = |name: &str, summary: &str, answer: &str, body: Value| {
        let operation = id(Operation::new(name, summary, OPERATOR)).body(false, body);
        operation.gives(200, "Done.", definitions.variant("Answer", answer)).or(WRITE).0
    };
    let list = Operation::new("list_packages", "The latest packages first.", OPERATOR)
        .parameter("query", "scope", reference("ScopeId"), "Of this scope.")
        .parameter("query", "kind", reference("Kind"), "Of this kind.")
        .parameter("query", "status", reference("PackageStatus"), "Of this status.")
        .parameter("query", "name", reference("PackageName"), "Whose names begin so.")
        .parameter(
            "query",
            "label",
            json!({ "type": "string", "pattern": "^[^=\\x00-\\x1f\\x7f]+=[^\\x00-\\x1f\\x7f]*$" }),
            "With this label, `key=value`.",
        )
        .parameter("query", "parent", reference("PackageId"), "Directly under this package.");
    let view = json!({ "type": "object", "required": ["id", "status"], "description": "The record, as it is stored." });
    json!({
        "/api/packages": {
            "get": paged(list).gives(200, "A page.", page_of("packages", view.clone())).or(READ).0,
            "post": Operation::new("issue_package", "Make a package.", OPERATOR)
                .body(true, definitions.action("issue", &[]))
                .gives(200, "It was made by the same request before, or is unchanged.", definitions.variant("Answer", "issued"))
                .gives(201, "Made.", definitions.variant("Answer", "issued"))
                .or(WRITE).0,
        },
        "/api/packages/{id}": {
            "get": id(Operation::new("show_package", "One package.", OPERATOR)).gives(200, "The package.", view).or(READ).0,
        },
        "/api/packages/{id}/events": {
            "get": id(Operation::new("package_events", "The history of a package and of its instance.", OPERATOR))
                .parameter("query", "limit", limit(), "Entries of a page.")
                .parameter("query", "after", json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX }), "The `next` of the page before.")
                .gives(200, "A page.", page_of("events", json!({ "type": "object" }))).or(READ).0,
        },
        "/api/packages/{id}/deliver": {
            "post": act("deliver_package", "Hand it to the operator who asks, once.", "delivered", nothing()),
        },
        "/api/packages/{id}/reissue": {
            "post": act("reissue_package", "Give it a new token.", "reissued", definitions.action("reissue", &["package"])),
        },
        "/api/packages/{id}/revoke": {
            "post": act("revoke_package", "End it for good.", "revoked", definitions.action("revoke", &["package"])),
        },
        "/api/packages/{id}/link": {
            "post": act("make_link", "Have a download link made; earlier ones are dead.", "linked", definitions.action("make_link", &["package"])),
        },
        "/api/link/{link}": {
            "get": Operation::new("open_link", "Download a package, once.", "")
                .parameter("path", "link", json!({ "type": "string" }), "The link.")
                .gives(200, "The package.", definitions.variant("Answer", "delivered")).or(&[400, 403, 404, 409, 503]).0,
        },
    })
}

fn nodes(definitions: &Definitions) -> Value {
    let own = ["token", "proof", "credential", "fingerprint", "spiffe_id"];
    let present = |id: &str, summary: &str, body: Value, answer: &str| {
        Operation::new(id, summary, NODE)
            .parameter("header", "DPoP", json!({ "type": "string" }), "The proof.")
            .body(false, body)
            .gives(200, "Done.", definitions.variant("Answer", answer))
            .or(WRITE)
            .0
    };
    let id = |operation: Operation| operation.parameter("path", "id", reference("NodeId"), "The node.");
    let act = |name: &str, summary: &str, answer: &str, body: Value| {
        let operation = id(Operation::new(name, summary, OPERATOR)).body(false, body);
        operation.gives(200, "Done.", definitions.variant("Answer", answer)).or(WRITE).0
    };
    let redeem = {
        let mut schema = definitions.action("redeem", &["proof", "fingerprint", "spiffe_id"]);
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.clear();
        }
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert("identity".into(), identity());
        }
        schema
    };
    let child = json!({
        "type": "object", "required": ["package", "node"], "additionalProperties": false,
        "properties": { "package": reference("PackageId"), "node": reference("NodeId") },
    });
    let instance = json!({
        "type": "object", "required": ["instance"], "additionalProperties": false,
        "properties": { "instance": reference("InstanceId"), "identity": identity() },
    });
    let fetch = json!({ "oneOf": [child, instance] });
    let list = Operation::new("list_nodes", "The latest nodes first.", OPERATOR)
        .parameter("query", "package", reference("PackageId"), "Of this package.")
        .parameter("query", "scope", reference("ScopeId"), "Of this scope.")
        .parameter("query", "status", json!({ "enum": ["claimed", "active", "retired"] }), "Of this status.");
    let view = json!({ "type": "object", "required": ["id", "status"], "description": "The record, as it is stored." });
    let ban = json!({
        "type": "object", "additionalProperties": false,
        "properties": { "reason": { "anyOf": [reference("Reason"), { "type": "null" }] } },
    });
    json!({
        "/api/redeem": { "post": present("redeem", "Present an enrollment token.", redeem, "redeemed") },
        "/api/check-in": {
            "post": present("check_in", "Say that a node is alive.", definitions.action("check_in", &own), "checked_in"),
        },
        "/api/leave": { "post": present("leave", "Say that a node goes.", definitions.action("leave", &own), "node_ended") },
        "/api/deliver": {
            "post": present("deliver", "Fetch a package for a child; or an instance its own, with its document.", fetch, "delivered"),
        },
        "/api/nodes": { "get": paged(list).gives(200, "A page.", page_of("nodes", view)).or(READ).0 },
        "/api/nodes/{id}": {
            "get": id(Operation::new("show_node", "One node.", OPERATOR))
                .gives(200, "The record, as it is stored.", json!({ "type": "object" })).or(READ).0,
        },
        "/api/nodes/{id}/evict": { "post": act("evict_node", "Send it away; it may return.", "node_ended", nothing()) },
        "/api/nodes/{id}/ban": { "post": act("ban_node", "Never let it be a node again.", "banned", ban) },
    })
}

/// An instance identity document, as the metadata service gives it.
fn identity() -> Value {
    let text = json!({ "type": "string" });
    json!({ "oneOf": [
        {
            "type": "object", "required": ["pkcs7"], "additionalProperties": false,
            "properties": { "pkcs7": text, "document": text },
        },
        {
            "type": "object", "required": ["document", "signature"], "additionalProperties": false,
            "properties": { "document": text, "signature": text },
        },
    ] })
}

fn subjects(definitions: &Definitions) -> Value {
    let about = |id: &str, summary: &str, action: &str, answer: &str| {
        let operation = Operation::new(id, summary, OPERATOR).body(true, definitions.action(action, &[]));
        operation.gives(200, "Done.", definitions.variant("Answer", answer)).or(WRITE).0
    };
    let command =
        json!({ "type": "object", "required": ["type"], "properties": { "type": { "type": "string" } } });
    let explanation = json!({
        "type": "object", "required": ["type"], "properties": { "type": { "enum": ["accepted", "refused"] } },
    });
    json!({
        "/api/subjects/observe": {
            "post": about("observe_subject", "Say that somebody has connected.", "observe_subject", "subject_observed"),
        },
        "/api/subjects/ban": { "post": about("ban_subject", "Never let it be a node.", "ban", "banned") },
        "/api/subjects/unban": { "post": about("unban_subject", "Let it be one again.", "unban", "unbanned") },
        "/api/recoveries/reset": {
            "post": about("reset_recoveries", "Let it have its grant anew.", "reset_recoveries", "recoveries_reset"),
        },
        "/api/explain": {
            "post": Operation::new("explain", "What would come of a command.", OPERATOR)
                .body(true, command).gives(200, "That.", explanation).or(WRITE).0,
        },
    })
}

fn scopes(definitions: &Definitions) -> Value {
    let id = |operation: Operation| operation.parameter("path", "id", reference("ScopeId"), "The scope.");
    let name =
        |operation: Operation| id(operation).parameter("path", "name", reference("PoolName"), "The pool.");
    let count = json!({ "type": "integer", "minimum": 0 });
    let limit = json!({ "type": ["integer", "null"], "minimum": 0 });
    let pool = json!({
        "type": "object", "required": ["name", "size", "free"],
        "properties": { "name": reference("PoolName"), "size": count, "free": count },
    });
    let scope = json!({
        "type": "object",
        "required": ["id", "max_outstanding", "max_active", "outstanding", "active", "reserved", "free", "pools"],
        "properties": {
            "id": reference("ScopeId"), "max_outstanding": limit, "max_active": limit, "outstanding": count, "active": count,
            "reserved": count, "free": limit, "pools": { "type": "array", "items": pool },
        },
    });
    let items = json!({ "allOf": [pool, {
        "type": "object", "required": ["items"],
        "properties": { "items": { "type": "array", "items": {
            "type": "object", "required": ["name"],
            "properties": { "name": reference("ItemName"), "package": reference("PackageId") },
        } } },
    }] });
    let configured = || definitions.variant("Answer", "configured");
    json!({
        "/api/scopes/{id}": {
            "get": id(Operation::new("show_scope", "How much it may have, and how much it has.", OPERATOR))
                .gives(200, "The scope.", scope).or(READ).0,
            "put": id(Operation::new("configure_scope", "Set its quota.", OPERATOR))
                .body(true, definitions.action("configure_scope", &["scope"])).gives(200, "Done.", configured()).or(WRITE).0,
        },
        "/api/scopes/{id}/pools/{name}": {
            "get": name(Operation::new("show_pool", "Its items, each with the package that has it.", OPERATOR))
                .gives(200, "The pool.", items).or(READ).0,
            "patch": name(Operation::new("change_pool", "Add items and take some out.", OPERATOR))
                .body(true, definitions.action("change_pool", &["scope", "pool"])).gives(200, "Done.", configured()).or(WRITE).0,
        },
    })
}

fn others() -> Value {
    let audit =
        Operation::new("list_events", "Who did what, and who was refused: the earliest first.", OPERATOR)
            .parameter("query", "actor", reference("Authority"), "On whose behalf.")
            .parameter(
                "query",
                "code",
                json!({ "type": "string", "pattern": "^[A-Za-z0-9_]*$" }),
                "The name of a fact, or the code of a refusal.",
            )
            .parameter("query", "kind", json!({ "enum": ["fact", "refusal"] }), "Only these.")
            .parameter("query", "since", json!({ "type": "string", "format": "date-time" }), "Not before.");
    let entry = json!({ "oneOf": [
        {
            "type": "object", "required": ["type", "sequence", "event"],
            "properties": { "type": { "const": "fact" }, "sequence": { "type": "integer" }, "event": { "type": "object" } },
        },
        {
            "type": "object", "required": ["type", "count", "first_at", "last_at", "first"],
            "properties": {
                "type": { "const": "refusals" }, "count": { "type": "integer", "minimum": 1 },
                "first_at": reference("Timestamp"), "last_at": reference("Timestamp"), "first": { "type": "object" },
            },
        },
    ] });
    let instance = |id: &str, summary: &str, media_type: &str| {
        Operation::new(id, summary, "")
            .parameter(
                "path",
                "instance",
                reference("InstanceId"),
                "The instance that asks, from its own address.",
            )
            .gives_text(media_type, "What it needs, the same each time.")
            .or(&[404, 503])
            .0
    };
    let ok =
        json!({ "type": "object", "required": ["status"], "properties": { "status": { "const": "ok" } } });
    json!({
        "/api/events": { "get": paged(audit).gives(200, "A page.", page_of("events", entry)).or(READ).0 },
        "/api/openapi.json": {
            "get": Operation::new("openapi", "This document.", "").gives(200, "The document.", json!({ "type": "object" })).0,
        },
        "/sns": {
            "post": Operation::new("sns", "What Amazon SNS posts; proven by its signature.", "")
                .body(true, json!({ "type": "object" }))
                .gives(200, "Taken in, or nothing follows from it.", json!({ "type": "object", "required": ["result"] }))
                .or(&[400, 403, 404, 413, 503]).0,
        },
        "/kubeadm/kubeconfig/{instance}": {
            "post": instance("kubeconfig", "What `kubeadm join --discovery-file` takes.", "text/yaml"),
        },
        "/wireguard/config/{instance}": {
            "post": instance("wireguard_config", "What `wg-quick` takes: an item of a pool.", "text/plain"),
        },
        "/spire/bundle": {
            "get": Operation::new("spire_bundle", "By what a SPIRE agent knows its server: the trust bundle.", "")
                .parameter("query", "format", json!({ "enum": ["pem", "spiffe"] }), "`pem` when left out.")
                .gives_text("application/x-pem-file", "The bundle; as `spiffe`, it is application/json.").or(&[400, 404, 503]).0,
        },
        "/metrics": {
            "get": Operation::new("metrics", "For Prometheus.", OPERATOR)
                .gives_text("text/plain", "Counters and gauges.").or(&[401, 403, 503]).0,
        },
        "/healthz": {
            "get": Operation::new("health", "Whether the database answers.", "").gives(200, "It does.", ok).or(&[503]).0,
        },
    })
}

fn paged(operation: Operation) -> Operation {
    let cursor = json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$" });
    operation.parameter("query", "limit", limit(), "Entries of a page.").parameter(
        "query",
        "cursor",
        cursor,
        "The `next` of the page before.",
    )
}

fn limit() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": super::packages::PAGE_MAX })
}

fn page_of(name: &str, item: Value) -> Value {
    json!({
        "type": "object", "required": [name],
        "properties": { name: { "type": "array", "items": item }, "next": { "type": ["string", "integer"] } },
    })
}

fn nothing() -> Value {
    json!({ "type": "object", "additionalProperties": false })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{super::table, *};

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let document = document();
        let mut described = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            described.extend(
                operations.as_object().unwrap().keys().map(|method| (path.as_str(), method.as_str())),
            );
        }
        // That insecure hosts hand out by GET as well is no part of the interface.
        assert_eq!(described, table(false).rows.into_iter().collect());
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_has_a_success() {
        let document = document();
        let text = document.to_string();
        let mut references = 0;
        for rest in text.split("\"$ref\":\"#").skip(1) {
            let path = rest.split('"').next().unwrap();
            assert!(document.pointer(path).is_some(), "{path}");
            references += 1;
        }
        assert!(references > 100, "{references}");
        assert!(!text.contains("$defs"));
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let success = operation["responses"]["200"]["content"].as_object().unwrap();
                let schema = &success.values().next().unwrap()["schema"];
                assert!(schema.as_object().is_some_and(|schema| !schema.is_empty()), "{method} {path}");
            }
        }
    }
}
