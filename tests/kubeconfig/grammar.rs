//! The grammar of the kubeconfigs that are generated. For each field there is what belongs there, and
//! for any place there is what does not: numbers where texts belong, words that YAML 1.1 takes for
//! something else, tags, anchors, merge keys, doubled names.
//!
//! ```text
//! config      = { apiVersion kind current-context preferences clusters contexts users extensions unknown }
//! clusters    = [ { name cluster: { server tls-server-name insecure-skip-tls-verify
//!                 certificate-authority certificate-authority-data proxy-url disable-compression
//!                 extensions } } ]
//! contexts    = [ { name context: { cluster user namespace extensions } } ]
//! users       = [ { name user: { client-certificate client-certificate-data client-key client-key-data
//!                 token tokenFile as as-uid as-groups as-user-extra username password auth-provider
//!                 exec extensions } } ]
//! extensions  = [ { name extension: anything } ]
//! ```

use crate::random::Random;
use crate::render::{Node, Style, render};
use crate::words::{KEYS, NAMES, broken, odd};

/// What is generated while a file is made.
struct Maker<'random> {
    random: &'random mut Random,
    /// Of a thousand values, how many are odd.
    odd: usize,
    /// Anchors that have been set, each before a map.
    anchors: Vec<String>,
}

/// A kubeconfig.
pub fn config(random: &mut Random) -> String {
    let odd = random.pick(&[0, 0, 3, 10, 40, 200]);
    let style = Style {
        indent: random.pick(&[1, 2, 2, 2, 4]),
        flow: random.pick(&[0, 100, 300, 1000]),
        comments: random.pick(&[0, 0, 100]),
        deep_lists: random.chance(500),
    };
    let mut maker = Maker {
        random,
        odd,
        anchors: Vec::new(),
    };
    let mut root = maker.root();
    if !random.chance(odd) {
        settle(&mut root, &mut Vec::new());
    }
    render(random, &style, &root)
}

/// Makes texts of aliases whose anchor does not come before them.
fn settle(node: &mut Node, known: &mut Vec<String>) {
    match node {
        Node::Written(text) => {
            if let Some((_, anchor)) = text.split_once('&') {
                known.extend(anchor.split(' ').next().map(str::to_owned));
            }
            for (index, _) in text.clone().match_indices('*').rev() {
                let name: String = text[index + 1..]
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '-')
                    .collect();
                if !known.contains(&name) {
                    text.replace_range(index..=index, "{}");
                    text.replace_range(index + 2..index + 2 + name.len(), "");
                }
            }
        }
        Node::Block(..) => {}
        Node::List(items) => items.iter_mut().for_each(|item| settle(item, known)),
        Node::Map(entries) => entries.iter_mut().for_each(|(_, value)| settle(value, known)),
        Node::With(property, inner) => {
            let anchor = property.strip_prefix('&').map(str::to_owned);
            settle(inner, known);
            known.extend(anchor);
        }
    }
}

impl Maker<'_> {
    /// An odd value now and then.
    fn or_odd(&mut self, node: Node) -> Node {
        if !self.random.chance(self.odd) {
            return node;
        }
        match self.random.below(12) {
            0 => Node::List(vec![node]),
            1 => Node::Map(vec![("a".to_owned(), node)]),
            2 => Node::List(vec![Node::written("null"), node]),
            3 => self.anything(3),
            4 => Node::With(
                (self.random.pick(&["!!str", "!!map", "!!null", "!", "!x", "&z"])).to_owned(),
                Box::new(node),
            ),
            _ => self.odd_scalar(),
        }
    }

    fn odd_scalar(&mut self) -> Node {
        let list = if self.random.chance(self.odd) {
            broken()
        } else {
            odd()
        };
        Node::written(self.random.pick(list))
    }

    fn text(&mut self, words: &[&str]) -> Node {
        let word = self.random.pick(words);
        let node = match self.random.below(14) {
            0 => Node::written(format!("\"{}\"", word.replace(['"', '\\'], ""))),
            1 => Node::written(format!("'{}'", word.replace('\'', ""))),
            2 if self.random.chance(self.odd) => Node::Block(
                self.random.pick(&["|2", ">1-", "|+1", "|0", ">11", "|x"]),
                vec![
                    format!(" {word}"),
                    word.to_owned(),
                    String::new(),
                    word.to_owned(),
                ],
            ),
            2 => Node::Block(
                self.random.pick(&["|", ">", "|-", ">+", ">-"]),
                vec![
                    word.to_owned(),
                    format!(" {word}"),
                    String::new(),
                    word.to_owned(),
                    "\t#".to_owned(),
                ],
            ),
            _ => Node::written(word),
        };
        self.or_odd(node)
    }

    fn name(&mut self) -> Node {
        self.text(NAMES)
    }

    fn truth(&mut self) -> Node {
        let node = Node::written(
            self.random
                .pick(&["true", "false", "yes", "off", "y", "True", "null"]),
        );
        self.or_odd(node)
    }

    /// The name of an entry of a list: another for each but now and then.
    fn own_name(&mut self, index: usize, words: &[&'static str]) -> Node {
        if self.random.chance(self.odd) {
            return self.text(words);
        }
        let start = index * words.len() / 4;
        self.text(&words[start..words.len().min(start + words.len() / 4)])
    }

    fn path(&mut self) -> Node {
        self.text(&[
            "pki/ca.crt",
            "../ca.crt",
            "/etc/ca.crt",
            "./a b",
            "~/x",
            "a//b/../c",
        ])
    }

    fn base64(&mut self) -> Node {
        let word = self.random.pick(&[
            "aGVsbG8=",
            "aGk=",
            "",
            "\"\"",
            "LS0tLS1CRUdJTg==",
            "aGVsbG8gd29ybGQ=",
        ]);
        let node = match self.random.below(8) {
            0 => Node::Block("|", vec!["aGVs".to_owned(), "bG8=".to_owned()]),
            1 => Node::Block(">-", vec!["aGVsbG8=".to_owned()]),
            2 => Node::written("[104, 105]"),
            3 => Node::written("!!binary aGk="),
            _ => Node::written(word),
        };
        self.or_odd(node)
    }

    /// Any value at all.
    fn anything(&mut self, depth: usize) -> Node {
        match self.random.below(if depth == 0 { 4 } else { 7 }) {
            0..=3 => self.odd_scalar(),
            4 | 5 => {
                let count = self.random.below(4);
                Node::List((0..count).map(|_| self.anything(depth - 1)).collect())
            }
            _ => {
                let count = self.random.below(4);
                let entry = |maker: &mut Self| {
                    let key = if maker.random.chance(maker.odd) {
                        maker.random.pick(&[
                            "<<",
                            "~",
                            "[a]",
                            "? a",
                            "\"\"",
                            "1",
                            "\"1\"",
                            "18446744073709551615",
                        ])
                    } else {
                        maker.random.pick(KEYS)
                    };
                    (key.to_owned(), maker.anything(depth - 1))
                };
                Node::Map((0..count).map(|_| entry(self)).collect())
            }
        }
    }

    /// Fields, most of them there, in any order, some twice, some misspelt.
    fn map(&mut self, fields: Vec<(&str, Node)>, present: usize) -> Node {
        let mut entries = Vec::new();
        for (name, node) in fields {
            if !self.random.chance(present) {
                continue;
            }
            let mut name = name.to_owned();
            if self.random.chance(self.odd / 4) {
                name = match self.random.below(5) {
                    0 => name.to_uppercase(),
                    1 => format!("\"{name}\""),
                    2 => format!("? {name}\n"),
                    3 => format!("!!str {name}"),
                    _ => (self.random.pick(odd())).to_owned(),
                };
            }
            if self.random.chance(self.odd / 4) {
                let other = self.odd_scalar();
                entries.push((name.clone(), other));
            }
            let at = self.random.below(entries.len() + 1);
            entries.insert(
                if self.random.chance(300) {
                    at
                } else {
                    entries.len()
                },
                (name, node),
            );
        }
        if !self.anchors.is_empty() && self.random.chance(60) {
            let anchor = self.anchors[self.random.below(self.anchors.len())].clone();
            let merged = match self.random.below(6) {
                0 => Node::written(format!("[*{anchor}, *{anchor}]")),
                1 => Node::written("{server: merged, user: merged}"),
                2 if self.random.chance(self.odd) => self.odd_scalar(),
                _ => Node::written(format!("*{anchor}")),
            };
            let at = self.random.below(entries.len() + 1);
            entries.insert(at, ("<<".to_owned(), merged));
        }
        let node = Node::Map(entries);
        if self.random.chance(60) {
            let anchor = (self.random.pick(&["a", "b", "base", "x-1"])).to_owned();
            self.anchors.push(anchor.clone());
            return Node::With(format!("&{anchor}"), Box::new(node));
        }
        if !self.anchors.is_empty() && self.random.chance(15) {
            let index = self.random.below(self.anchors.len());
            return Node::written(format!("*{}", self.anchors[index]));
        }
        self.or_odd(node)
    }

    fn list(&mut self, most: usize, item: impl Fn(&mut Self, usize) -> Node) -> Node {
        let count = self.random.below(most + 1);
        let mut items: Vec<Node> = (0..count).map(|index| item(self, index)).collect();
        if self.random.chance(self.odd) {
            let odd = self.odd_scalar();
            items.push(odd);
        }
        let node = Node::List(items);
        self.or_odd(node)
    }

    fn named(&mut self, field: &str, value: impl Fn(&mut Self) -> Node) -> Node {
        self.list(4, |maker, index| {
            let name = maker.own_name(index, NAMES);
            let value = value(maker);
            maker.map(vec![("name", name), (field, value)], 995)
        })
    }

    fn extensions(&mut self) -> Node {
        self.list(3, |maker, index| {
            let name = maker.own_name(
                index,
                &["client.authentication.k8s.io/exec", "minikube", "b", "d"],
            );
            let extension = maker.anything(3);
            maker.map(vec![("name", name), ("extension", extension)], 995)
        })
    }

    fn root(&mut self) -> Node {
        let odd = self.odd;
        let word_of = |maker: &mut Self, usual: &[&str], others: &[&str]| {
            let list = if maker.random.chance(odd) { others } else { usual };
            let word = Node::written(maker.random.pick(list));
            maker.or_odd(word)
        };
        let version = word_of(
            self,
            &["v1", "\"v1\"", "'v1'"],
            &["v2", "/v1", "/", "v1/", "a/b/c", "1", "", "V1"],
        );
        let kind = word_of(
            self,
            &["Config", "\"Config\""],
            &["Pod", "config", "List", "", "Config "],
        );
        let current = self.text(&["a", "b", "\"\"", "''", "dev", ""]);
        let (colors, more) = (self.truth(), self.extensions());
        let preferences = self.map(vec![("colors", colors), ("extensions", more)], 500);
        let clusters = self.named("cluster", Self::cluster);
        let contexts = self.named("context", Self::context);
        let users = self.named("user", Self::user);
        let extensions = self.extensions();
        let unknown = self.anything(3);
        let mut fields = vec![
            ("apiVersion", version),
            ("kind", kind),
            ("current-context", current),
            ("preferences", preferences),
            ("clusters", clusters),
            ("contexts", contexts),
            ("users", users),
        ];
        if self.random.chance(150) {
            fields.push(("extensions", extensions));
        }
        if self.random.chance(50) {
            fields.push(("unknown", unknown));
        }
        if self.random.chance(odd) {
            let kind = self.text(&["Config", "Pod", "5", "null"]);
            let name = self
                .random
                .pick(&["Kind", "KIND", "APIVersion", "apiversion", "\u{212A}ind"]);
            fields.push((name, kind));
        }
        self.map(fields, 850)
    }

    fn cluster(&mut self) -> Node {
        let fields = vec![
            (
                "server",
                self.text(&["https://a.example:6443", "http://b.example", "a.example", "\"\""]),
            ),
            ("tls-server-name", self.text(&["real.example", "\"\""])),
            ("insecure-skip-tls-verify", self.truth()),
            ("certificate-authority", self.path()),
            ("certificate-authority-data", self.base64()),
            (
                "proxy-url",
                self.text(&["socks5://p.example:1080", "http://u:p@p.example"]),
            ),
            ("disable-compression", self.truth()),
            ("extensions", self.extensions()),
        ];
        self.map(fields, 400)
    }

    fn context(&mut self) -> Node {
        let fields = vec![
            ("cluster", self.name()),
            ("user", self.name()),
            ("namespace", self.text(&["apps", "kube-system", "\"\""])),
            ("extensions", self.extensions()),
        ];
        self.map(fields, 700)
    }

    fn user(&mut self) -> Node {
        let words = &["t0ken", "eyJhbGciOiJSUzI1NiJ9.x.y", "p ss", "\"\""];
        let groups = self.list(3, |maker, _| maker.text(&["dev", "system:masters"]));
        let extra_values = self.list(2, |maker, _| maker.text(&["view", "edit"]));
        let extra_key = self.random.pick(&["scopes", "example.com/a", "1", "yes", "1.5"]);
        let extra = self.map(vec![(extra_key, extra_values), ("b", Node::written("null"))], 700);
        let fields = vec![
            ("client-certificate", self.path()),
            ("client-certificate-data", self.base64()),
            ("client-key", self.path()),
            ("client-key-data", self.base64()),
            ("token", self.text(words)),
            ("tokenFile", self.path()),
            ("as", self.text(&["jane", "\"\""])),
            ("as-uid", self.text(&["\"1\"", "u-1"])),
            ("as-groups", groups),
            ("as-user-extra", extra),
            ("username", self.text(words)),
            ("password", self.text(words)),
            ("auth-provider", self.auth_provider()),
            ("exec", self.exec()),
            ("extensions", self.extensions()),
        ];
        self.map(fields, 250)
    }

    fn auth_provider(&mut self) -> Node {
        let key = self.random.pick(&[
            "id-token",
            "1",
            "1.0",
            "1e30",
            "yes",
            "0x1f",
            "2001-01-01",
            "\"\"",
        ]);
        let (value, client) = (self.text(&["x", "y"]), self.text(&["me"]));
        let config = self.map(vec![(key, value), ("client-id", client)], 800);
        let name = self.text(&["oidc", "gcp"]);
        self.map(vec![("name", name), ("config", config)], 850)
    }

    fn exec(&mut self) -> Node {
        let args = self.list(3, |maker, _| maker.text(&["get-token", "--cluster", "\"1\""]));
        let env = self.list(2, |maker, _| {
            let (name, value) = (maker.text(&["A", "B"]), maker.text(&["x", "\"1\"", "\"\""]));
            maker.map(vec![("name", name), ("value", value)], 900)
        });
        let fields = vec![
            ("command", self.text(&["aws", "./bin/plugin", "/usr/bin/x"])),
            ("args", args),
            ("env", env),
            (
                "apiVersion",
                self.text(&[
                    "client.authentication.k8s.io/v1",
                    "client.authentication.k8s.io/v1beta1",
                    "client.authentication.k8s.io/v1alpha1",
                ]),
            ),
            ("installHint", self.text(&["install it", "\"a\\nb\""])),
            ("provideClusterInfo", self.truth()),
            (
                "interactiveMode",
                self.text(&["Never", "IfAvailable", "Always", "Maybe"]),
            ),
        ];
        self.map(fields, 700)
    }
}
