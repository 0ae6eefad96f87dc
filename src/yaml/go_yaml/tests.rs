//! What go-yaml makes of texts. Each answer was given by go-yaml and `sigs.k8s.io/yaml` themselves;
//! `tests/kubeconfig` asks them again, by thousands, through kubectl.

use super::*;

/// The text as JSON; nothing where it is refused.
fn json(text: &[u8]) -> Option<String> {
    let tree = read(text).ok()?;
    let mut json = String::new();
    write_json(&tree, tree.root(), &mut json);
    Some(json)
}

#[track_caller]
fn assert_all(cases: &[(&str, Option<&str>)]) {
    for (text, expected) in cases {
        assert_eq!(json(text.as_bytes()).as_deref(), *expected, "{text:?}");
    }
}

#[test]
fn scalars_are_what_they_look_like() {
    assert_all(&[
        (
            "[yes, No, ON, off, y, N, tRuE]",
            Some(r#"[true,false,true,false,true,false,"tRuE"]"#),
        ),
        ("[~, null, Null, , nULL]", None),
        (
            "[014, 0o14, 08, 1_000, 0x1F, 0b11, -0b11, 0b+1]",
            Some("[12,12,8,1000,31,3,-3,1]"),
        ),
        (
            "[9223372036854775808, 18446744073709551616]",
            Some("[9223372036854775808,18446744073709552000]"),
        ),
        (
            "[1., .5, ._5, .1_0, 1e3, 1e999, -0, -0.0]",
            Some(r#"[1,0.5,"._5",0.1,1000,"1e999",0,-0]"#),
        ),
        (
            "[1e20, 1e21, 1e-6, 1e-7]",
            Some("[100000000000000000000,1e+21,0.000001,1e-7]"),
        ),
        ("[2001-01-01, 190:20:30]", Some(r#"["2001-01-01","190:20:30"]"#)),
        (
            "['5', \"yes\", !!str 5, ! 5, !x 5]",
            Some(r#"["5","yes","5","5","5"]"#),
        ),
        (
            "[!!int '5', !!float 5, !!binary aGl=, !!binary /w==]",
            Some(r#"[5,5,"hi","�"]"#),
        ),
        (
            "[!!timestamp 2001-1-1, !!timestamp 2001-12-14t1:2:3.5-24:60]",
            Some(r#"["2001-1-1","2001-12-14t1:2:3.5-24:60"]"#),
        ),
        ("!!timestamp 2001-02-29", None),
        ("!!int x", None),
        ("!!binary a", None),
        ("[.inf]", None),
    ]);
}

#[test]
fn keys_become_texts_and_the_later_one_stays() {
    assert_all(&[
        (
            "{1: a, 1.5: b, yes: c, 1e6: d, .inf: e}",
            Some(r#"{".inf":"e","1":"a","1.5":"b","1e+06":"d","true":"c"}"#),
        ),
        ("{a: 1, b: 2, a: 3}", Some(r#"{"a":3,"b":2}"#)),
        ("{~: a}", None),
        ("{18446744073709551615: a}", None),
        ("{[a]: b}", None),
        // What has been replaced may be anything.
        ("{a: {~: .inf}, a: b}", Some(r#"{"a":"b"}"#)),
    ]);
}

#[test]
fn aliases_and_merges() {
    assert_all(&[
        (
            "[&a {x: 1}, {<<: *a, y: 2}]",
            Some(r#"[{"x":1},{"true":2,"x":1}]"#),
        ),
        // A merge takes its place among the entries: here it is the later one.
        ("[&a {x: 1}, {x: 2, <<: *a}]", Some(r#"[{"x":1},{"x":1}]"#)),
        (
            "[&a {x: 1}, &b {x: 2, z: 3}, {<<: [*a, *b]}]",
            Some(r#"[{"x":1},{"x":2,"z":3},{"x":1,"z":3}]"#),
        ),
        ("{\"<<\": {x: 1}}", Some(r#"{"\u003c\u003c":{"x":1}}"#)),
        ("{<<: 1}", None),
        ("[*a]", None),
        ("&a [*a]", None),
    ]);
}

#[test]
fn where_go_yaml_strays() {
    assert_all(&[
        // It forgets that an empty collection may be a key, and ends the document after it.
        ("{}: a", Some("{}")),
        ("{a?b: c}", None),
        ("{a:b, c}", Some(r#"{"a:b":null,"c":null}"#)),
        ("%YAML 1.1\n---\na", Some(r#""a""#)),
        ("%YAML 1.2\n---\na", None),
        // Only the first document is read.
        ("a\n---\n]", Some(r#""a""#)),
        ("&a &b c", Some("null")),
        ("a: 'b\n c'\n", Some(r#"{"a":"b c"}"#)),
        (
            "a: |\n  b\n   c\n\nd: >-\n  e\n  f\n",
            Some(r#"{"a":"b\n c\n","d":"e f"}"#),
        ),
        ("a:\tb", Some(r#"{"a":"b"}"#)),
        ("a:\n\tb: c", None),
        ("\u{feff}a: b", Some(r#"{"a":"b"}"#)),
        ("", Some("null")),
        ("# a", Some("null")),
    ]);
}

#[test]
fn bytes_beyond_what_is_read_ahead_do_not_matter() {
    let far = |spaces: usize| [b"a\n...\n".to_vec(), vec![b' '; spaces], b"\xff".to_vec()].concat();
    assert_eq!(json(&far(100)), None);
    assert_eq!(json(&far(1000)).as_deref(), Some("\"a\""));
    let wide: Vec<u8> = "\u{feff}a: \u{1F600}"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    assert_eq!(json(&wide).as_deref(), Some("{\"a\":\"\u{1F600}\"}"));
    assert_eq!(json(&wide[..wide.len() - 1]), None);
}

#[test]
fn an_error_gives_the_place_and_not_the_words() {
    let cases = [
        (
            "a: b\ntoken: [hunter2",
            "not YAML at line 3, column 1: a `,` or `]` is missing",
        ),
        (
            "a: b\ntoken: *hunter2",
            "not YAML at line 2, column 8: an alias names an anchor that is not there",
        ),
        (
            "a: b\n\ttoken: hunter2",
            "not YAML at line 2, column 1: a tab stands where spaces have to indent",
        ),
        (
            "a: b\ntoken: !!int hunter2",
            "line 2: a value is not what its tag says",
        ),
        (
            "a: b\ntoken: hunter2\u{7f}",
            "line 2: a control character is not allowed",
        ),
    ];
    for (text, expected) in cases {
        let error = read(text.as_bytes()).err().unwrap().to_string();
        assert_eq!(error, expected, "{text:?}");
    }
}

#[test]
fn depth_is_bounded_and_costs_no_stack() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(json(nested(10_000).as_bytes()).is_some());
    assert!(json(nested(10_001).as_bytes()).is_none());
    assert!(json("[".repeat(1_000_000).as_bytes()).is_none());
}
