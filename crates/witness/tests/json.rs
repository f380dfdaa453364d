//! Canonical JSON against RFC 8785's own vectors and another implementation.

use proptest::prelude::*;
use witness::json::{
    DEPTH_MAX, FieldError, Fields, INTEGER_MAX, Integer, JsonError, Object, Value, parse,
    parse_canonical,
};

macro_rules! vector {
    ($name:literal) => {
        (
            include_str!(concat!("vectors/rfc8785/input/", $name, ".json")),
            include_str!(concat!("vectors/rfc8785/output/", $name, ".json")),
        )
    };
}

#[test]
fn vectors_without_floats_come_out_as_wanted() {
    for (input, output) in
        [vector!("arrays"), vector!("french"), vector!("unicode"), vector!("weird")]
    {
        assert_eq!(parse(input).unwrap().to_string(), output);
        assert_eq!(parse_canonical(output).unwrap().to_string(), output);
    }
    // Its input has 56.0, its output has 56.
    let (input, output) = vector!("structures");
    assert!(matches!(parse(input), Err(JsonError::Number(_))));
    assert!(parse_canonical(output).is_ok());
    let (input, output) = vector!("values");
    assert!(matches!(parse(input), Err(JsonError::Number(_))));
    assert!(matches!(parse(output), Err(JsonError::Number(_))));
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-INTEGER_MAX..=INTEGER_MAX).prop_map(|i| Integer::new(i).unwrap().into()),
        any::<String>().prop_map(Value::from),
        any::<u64>().prop_map(Value::decimal),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let members = proptest::collection::vec((any::<String>(), inner.clone()), 0..6);
        prop_oneof![
            proptest::collection::vec(inner, 0..6).prop_map(Value::from),
            members.prop_map(|members| {
                let object = Object::new();
                members
                    .into_iter()
                    .fold(object, |object, (key, value)| object.with(&key, value))
                    .into()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn another_implementation_writes_the_same_bytes(value in values()) {
        let ours = value.to_string();
        let theirs: serde_json::Value = serde_json::from_str(&ours).unwrap();
        prop_assert_eq!(serde_json_canonicalizer::to_string(&theirs).unwrap(), ours);
    }

    #[test]
    fn values_survive_the_round_trip(value in values()) {
        prop_assert_eq!(parse_canonical(&value.to_string()), Ok(value));
    }

    #[test]
    fn blanks_are_allowed_but_not_canonical(value in values()) {
        let text = value.to_string();
        let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
        let pretty = serde_json::to_string_pretty(&theirs).unwrap();
        prop_assert_eq!(parse(&pretty), Ok(value));
        if pretty != text {
            prop_assert_eq!(parse_canonical(&pretty), Err(JsonError::NotCanonical));
        }
    }

    #[test]
    fn what_parses_here_parses_elsewhere(text in "[\\[\\]{}\",:0-9a-f\\\\u \\-.ntrue]{0,24}") {
        if let Ok(value) = parse(&text) {
            let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(serde_json_canonicalizer::to_string(&theirs).unwrap(), value.to_string());
        }
    }
}

#[test]
fn loose_json_is_refused() {
    for bad in [
        "",
        " ",
        "nul",
        "tru",
        "[1,]",
        "[1 2]",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}",
        "1 2",
        "01",
        "-01",
        "-",
        "+1",
        "-0",
        "1.0",
        "1e3",
        "9007199254740992",
        "-9007199254740992",
        "99999999999999999999",
        "\"",
        "\"\u{1}\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "'a'",
        "[",
        "{",
        "[}",
        "\u{feff}1",
        "NaN",
        "{\"a\":1,\"a\":1}",
        "{\"a\":1,\"\\u0061\":2}",
    ] {
        assert!(parse(bad).is_err(), "{bad:?}");
    }
    assert_eq!(parse("9007199254740991").unwrap().as_u64(), Some(INTEGER_MAX as u64));
    assert_eq!(parse("\"\\ud83d\\ude00\"").unwrap().as_str(), Some("\u{1f600}"));
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(&nested(DEPTH_MAX + 1)).is_ok());
    assert!(matches!(parse(&nested(DEPTH_MAX + 2)), Err(JsonError::Depth(_))));
    assert!(parse(&"[".repeat(1 << 20)).is_err());
}

#[test]
fn every_member_must_be_asked_for() {
    let value: Value = Object::new().with("a", 1u8).with("b", "x").with("c", true).into();
    let mut fields = Fields::of(&value).unwrap();
    assert_eq!(fields.u64("a"), Ok(1));
    assert_eq!(fields.u64("b"), Err(FieldError::Wrong("b")));
    assert_eq!(fields.str("d"), Err(FieldError::Missing("d")));
    assert_eq!(fields.end(), Err(FieldError::Unknown("c".into())));
    assert_eq!(Fields::of(&Value::Null).err(), Some(FieldError::NotObject));
}

#[test]
fn decimals_have_one_spelling() {
    for (text, number) in [("0", Some(0)), ("18446744073709551615", Some(u64::MAX)), ("", None)] {
        assert_eq!(Value::from(text).as_decimal(), number);
    }
    for bad in ["00", "01", "+1", "-1", " 1", "18446744073709551616", "1_0"] {
        assert_eq!(Value::from(bad).as_decimal(), None, "{bad}");
    }
}

#[test]
fn a_large_object_is_read_whatever_the_order_of_its_keys() {
    // In the worst order: inserting one by one would move gigabytes.
    let members: Vec<_> = (0..150_000).rev().map(|key| format!("\"{key:06}\":0")).collect();
    let text = format!("{{{}}}", members.join(","));
    let Ok(Value::Object(object)) = parse(&text) else { panic!("not read") };
    assert_eq!(object.len(), 150_000);
    assert!(object.iter().map(|(key, _)| key).is_sorted());
    let at = text.len() - 1;
    let twice = format!("{},\"000007\":0}}", &text[..at]);
    assert_eq!(parse(&twice), Err(JsonError::DuplicateKey(at + 1)));
}
