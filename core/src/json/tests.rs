use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Serialize;
use serde_json::json;

use super::*;

#[test]
fn refuses_what_two_readers_could_read_differently() {
    for text in [
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"b\":1,\"\\u0062\":2}}",
        "\"\\ud800\"",
        "1 2",
        "",
        "{\"a\":1}x",
        "\u{feff}{}",
    ] {
        assert_eq!(parse(text.as_bytes(), 100).unwrap_err().code(), Code::MalformedJson, "{text}");
    }
    assert_eq!(parse(&[b'"', 0xff, b'"'], 100).unwrap_err().code(), Code::MalformedJson);
    assert_eq!(parse("[".repeat(100).as_bytes(), 100).unwrap_err().code(), Code::MalformedJson);
    assert_eq!(parse(b"[1,2]", 4).unwrap_err().code(), Code::TooLarge);
}

#[test]
fn canonical_form_is_rfc_8785() {
    let value = parse(
        r#"{"b":[1,true,null],"a":"\u20ac\u000a\u0007/","\ud83d\ude00":1,"\ufb33":2}"#.as_bytes(),
        1000,
    )
    .unwrap();
    assert_eq!(canonical(&value), "{\"a\":\"€\\n\\u0007/\",\"b\":[1,true,null],\"😀\":1,\"\u{fb33}\":2}");
}

#[test]
fn one_value_has_one_canonical_text() {
    assert_eq!(parse_canonical(r#"{"a":[1,-2],"b":"x"}"#, 100).unwrap(), json!({"a": [1, -2], "b": "x"}));
    for text in [
        r#"{"b":1,"a":2}"#,
        r#"{"a": 1}"#,
        "[1.0]",
        "[1e2]",
        "[-0]",
        r#"{"a":"\u0041"}"#,
        r#"["\/"]"#,
        "[1]\n",
        r#"{"a":{"z":0.5}}"#,
    ] {
        assert_eq!(parse_canonical(text, 100).unwrap_err().code(), Code::NotCanonicalJson, "{text}");
    }
    assert_eq!(parse_canonical(r#"{"a":1,"a":1}"#, 100).unwrap_err().code(), Code::MalformedJson);
    assert_eq!(parse_canonical("[1]", 2).unwrap_err().code(), Code::TooLarge);
}

/// The same by way of a tree, as plainly as RFC 8785 says it.
fn by_tree<T: Serialize + ?Sized>(value: &T) -> String {
    fn write(value: &Value) -> String {
        match value {
            Value::Array(items) => format!("[{}]", items.iter().map(write).collect::<Vec<_>>().join(",")),
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
                let member = |(name, member): (&String, &Value)| format!("{}:{}", json!(name), write(member));
                format!("{{{}}}", members.into_iter().map(member).collect::<Vec<_>>().join(","))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
        }
    }
    write(&serde_json::to_value(value).unwrap())
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{0,3}",
        "[ -~]{0,20}",
        "\\PC{0,8}",
        "[\\x00-\\x20\"\\\\/\\x7f\u{80}\u{2028}\u{d7ff}\u{e000}\u{fb33}\u{ffff}\u{10000}\u{1f600}a]{0,9}",
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((texts(), inner), 0..8)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// An object in the order given, also with repeated names.
struct Unsorted(Vec<(String, Value)>);

impl Serialize for Unsorted {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Every shape that serde derives, with members out of order.
#[derive(Serialize)]
struct Shapes {
    z: Unit,
    tagged: Vec<Tagged>,
    external: Vec<External>,
    #[serde(flatten)]
    flat: Tagged,
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    absent: Option<u8>,
    none: Option<u8>,
    some: Option<std::net::IpAddr>,
    numbers: BTreeMap<i8, (u8, i64, u64)>,
    by_flag: BTreeMap<bool, Newtype>,
    by_unit: BTreeMap<Plain, char>,
    bytes: &'static [u8],
    a: Pair,
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Newtype(String);

#[derive(Serialize)]
struct Pair(i8, ());

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
enum Plain {
    Second,
    First,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Tagged {
    Unit,
    Struct { zz: u8, b: i16 },
    Boxed(Box<Inner>),
}

#[derive(Serialize)]
struct Inner {
    zone: u8,
    #[serde(rename = "a\"\u{e000}")]
    odd: u8,
    #[serde(rename = "a\"\u{1f600}")]
    odder: char,
}

#[derive(Serialize)]
enum External {
    Unit,
    Newtype(u16),
    Tuple(u8, u8),
    Struct { b: u8, a: u8 },
}

#[test]
fn every_shape_that_serde_derives_is_as_by_the_tree() {
    let inner = || Box::new(Inner { zone: 1, odd: 2, odder: '"' });
    let shapes = |flat| Shapes {
        z: Unit,
        tagged: vec![Tagged::Unit, Tagged::Struct { zz: 1, b: -2 }, Tagged::Boxed(inner())],
        external: vec![
            External::Unit,
            External::Newtype(7),
            External::Tuple(1, 2),
            External::Struct { b: 1, a: 2 },
        ],
        flat,
        rest: [("y", 1), ("tag", 2), ("\u{1f600}", 3), ("\u{fb33}", 4)].map(|(a, b)| (a.into(), b)).into(),
        absent: None,
        none: None,
        some: Some("2001:db8::1".parse().unwrap()),
        numbers: BTreeMap::from([(-1, (1, i64::MIN, u64::MAX)), (10, (0, 0, 0)), (9, (0, 0, 0))]),
        by_flag: BTreeMap::from([(true, Newtype("t".into())), (false, Newtype("f".into()))]),
        by_unit: BTreeMap::from([(Plain::First, 'x'), (Plain::Second, '\u{7}')]),
        bytes: &[0, 255],
        a: Pair(-8, ()),
    };
    for flat in [Tagged::Unit, Tagged::Struct { zz: 9, b: 8 }, Tagged::Boxed(inner())] {
        let shapes = shapes(flat);
        assert_eq!(canonical_of(&shapes), by_tree(&shapes));
    }
    assert!(canonical_of(&shapes(Tagged::Unit)).starts_with(r#"{"a":[-8,null],"by_flag":{"false":"f","#));
}

#[test]
fn the_last_member_of_a_name_stays() {
    let repeated =
        Unsorted(vec![("b".into(), json!(1)), ("a".into(), json!({"x": 1})), ("b".into(), json!([2]))]);
    assert_eq!(canonical_of(&repeated), r#"{"a":{"x":1},"b":[2]}"#);
}

#[test]
fn stored_bodies_survive_byte_for_byte() {
    let mut bodies = 0;
    for file in ["events-schema-1.jsonl", "snapshot-schema-1.jsonl"] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/ledger");
        for line in std::fs::read_to_string(folder.join(file)).unwrap().lines() {
            let value = parse(line.as_bytes(), line.len()).unwrap();
            assert_eq!(canonical(&value), line);
            if let Some(body) = value.get("body").and_then(Value::as_str).filter(|body| body.starts_with('{'))
            {
                assert_eq!(canonical(&parse(body.as_bytes(), body.len()).unwrap()), body);
            }
            bodies += 1;
        }
    }
    assert!(bodies > 40, "only {bodies}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_value_is_as_by_the_tree(value in values()) {
        let text = canonical_of(&value);
        prop_assert_eq!(&text, &by_tree(&value));
        prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn members_in_any_order_are_as_by_the_tree(
        members in prop::collection::vec((texts(), values()), 0..12),
        inner in prop::collection::vec(("[a-k]{1,12}", any::<i32>().prop_map(Value::from)), 0..20),
    ) {
        let objects = [Unsorted(members), Unsorted(inner)];
        prop_assert_eq!(canonical_of(&objects), by_tree(&objects));
    }
}
