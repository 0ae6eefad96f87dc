//! What is done to a text as a whole, and to its bytes.

use crate::grammar::config;
use crate::random::Random;
use crate::words::{broken, odd};

/// What a byte or two can do to YAML.
const PIECES: &[&[u8]] = &[
    b": ",
    b":",
    b"- ",
    b"-",
    b"? ",
    b"?",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b", ",
    b"&a ",
    b"*a",
    b"*a ",
    b"!",
    b"!! ",
    b"!!str ",
    b"!!binary ",
    b"!<",
    b"|",
    b"|\n",
    b">",
    b"> \n",
    b"'",
    b"\"",
    b"\\",
    b"\\\n",
    b"\t",
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b" ",
    b"  ",
    b"#",
    b" #",
    b"%",
    b"%YAML 1.1\n",
    b"%TAG ! x\n",
    b"@",
    b"`",
    b"<<: ",
    b"<<: *a",
    b"~",
    b"=",
    b"\0",
    b"\xff",
    b"\xfe",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\n---\n",
    b"---",
    b"\n...\n",
    b"...",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"\xe2\x80\xa9",
    b"\xc2\xa0",
    b"\x7f",
    b"\x1b",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"null",
    b"yes",
    b"{}: ",
    b"[]: ",
    b"? - ",
    b"- - ",
    b": : ",
    b"\n  ",
    b"\n ",
];

/// A file's bytes.
pub fn file(random: &mut Random) -> Vec<u8> {
    let mut bytes = match random.below(20) {
        0 => special(random),
        _ => config(random).into_bytes(),
    };
    if random.chance(300) {
        let times = random.pick(&[1, 1, 1, 2, 3, 8]);
        for _ in 0..times {
            mutate(random, &mut bytes);
        }
    }
    if random.chance(150) {
        bytes = whole(random, bytes);
    }
    bytes
}

/// Files that are something else altogether.
fn special(random: &mut Random) -> Vec<u8> {
    match random.below(16) {
        0 => Vec::new(),
        1 => b"# nothing\n".to_vec(),
        2 => b"\n\n".to_vec(),
        3 => b"---\n".to_vec(),
        4 => b"[]".to_vec(),
        5 => b"a text".to_vec(),
        6 => b"null".to_vec(),
        7 => odd_word(random).as_bytes().to_vec(),
        8 => format!("unknown: {}", odd_word(random)).into_bytes(),
        9 => laughs(random.below(9)),
        10 => nested(random),
        11 => format!("kind: Config\nx: &a {{y: *a}}\nz: {}", odd_word(random)).into_bytes(),
        12 => (0..random.below(40)).map(|_| u8::try_from(random.below(256)).unwrap_or_default()).collect(),
        13 => (0..random.below(12)).flat_map(|_| random.pick(PIECES).to_vec()).collect(),
        14 => serde_json::json!({"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "j", "cluster": {"server": "https://j"}}]})
            .to_string()
            .into_bytes(),
        _ => {
            let odd: Vec<&str> = (0..random.below(6)).map(|_| odd_word(random)).collect();
            odd.join(random.pick(&["\n", ": ", ", ", "\n- "])).into_bytes()
        }
    }
}

/// Aliases of aliases: 10 to the power of a number.
fn laughs(levels: usize) -> Vec<u8> {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..=levels {
        let before = format!("*a{}, ", level - 1).repeat(9);
        text.push_str(&format!("a{level}: &a{level} [{before}*a{}]\n", level - 1));
    }
    text.into_bytes()
}

/// Collections within one another.
fn nested(random: &mut Random) -> Vec<u8> {
    let depth = random.pick(&[10, 200, 2000, 9_998, 9_999, 10_000, 10_001, 20_000]);
    match random.below(4) {
        0 => format!("x: {}{}", "[".repeat(depth), "]".repeat(depth)),
        1 => format!("x: {}{}", "{a: ".repeat(depth), "}".repeat(depth)),
        2 => format!("x:\n {}", "- ".repeat(depth)),
        _ => format!(
            "clusters: [{{name: a, cluster: {{extensions: [{{name: b, extension: {}1{}}}]}}}}]",
            "[".repeat(depth),
            "]".repeat(depth)
        ),
    }
    .into_bytes()
}

/// Changes some bytes.
pub fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len() + 1);
    let some = at + random.below(6.min(bytes.len() - at + 1));
    match random.below(9) {
        0 => drop(bytes.drain(at..some)),
        1..=3 => drop(bytes.splice(at..at, random.pick(PIECES).iter().copied())),
        4 => drop(bytes.splice(at..some, random.pick(PIECES).iter().copied())),
        5 => drop(bytes.splice(at..at, odd_word(random).bytes())),
        6 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        7 => {
            // A line goes elsewhere.
            let mut lines: Vec<Vec<u8>> = bytes
                .split_inclusive(|byte| *byte == b'\n')
                .map(<[u8]>::to_vec)
                .collect();
            if !lines.is_empty() {
                let line = lines[random.below(lines.len())].clone();
                let at = random.below(lines.len());
                lines.insert(at, line);
                *bytes = lines.concat();
            }
        }
        _ => {
            // A line moves to the left or to the right.
            let start = bytes[..at]
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |index| index + 1);
            if random.chance(500) {
                drop(bytes.splice(start..start, [b' '; 2]));
            } else if bytes.get(start) == Some(&b' ') {
                bytes.remove(start);
            }
        }
    }
}

/// Changes the text as a whole.
fn whole(random: &mut Random, bytes: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let units = || text.encode_utf16();
    match random.below(15) {
        0 => [b"\xef\xbb\xbf".to_vec(), bytes].concat(),
        1 => [b"\xef\xbb\xbf\xef\xbb\xbf".to_vec(), bytes].concat(),
        2 => [0xFF, 0xFE]
            .into_iter()
            .chain(units().flat_map(u16::to_le_bytes))
            .collect(),
        3 => [0xFE, 0xFF]
            .into_iter()
            .chain(units().flat_map(u16::to_be_bytes))
            .collect(),
        4 => units().flat_map(u16::to_le_bytes).collect(),
        5 => text.replace('\n', "\r\n").into_bytes(),
        6 => text.replace('\n', "\r").into_bytes(),
        7 => text
            .replace('\n', random.pick(&["\u{85}", "\u{2028}"]))
            .into_bytes(),
        8 => format!(
            "{}---\n{text}",
            random.pick(&[
                "",
                "%YAML 1.1\n",
                "%YAML 1.2\n",
                "%TAG !e! tag:yaml.org,2002:\n",
                "%x\n"
            ])
        )
        .into_bytes(),
        9 => [
            bytes,
            random
                .pick(&["---\n", "...\n", "---\n]", "...\nx", "---\n\u{0}"])
                .as_bytes()
                .to_vec(),
            file(random),
        ]
        .concat(),
        10 => [
            bytes,
            b"...\n".to_vec(),
            vec![b' '; random.below(1500)],
            b"\xff".to_vec(),
        ]
        .concat(),
        11 => text.replacen("  ", "\t", 1 + random.below(3)).into_bytes(),
        12 => text.trim_end().as_bytes().to_vec(),
        13 => {
            let mut bytes = bytes;
            bytes.truncate(random.below(bytes.len() + 1));
            bytes
        }
        _ => text
            .lines()
            .map(|line| format!("  {line}\n"))
            .collect::<String>()
            .into_bytes(),
    }
}

fn odd_word(random: &mut Random) -> &'static str {
    let list = random.pick(&[odd(), broken()]);
    random.pick(list)
}
