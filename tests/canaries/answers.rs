//! Answers of API servers made wrong, in process: read by the real collector over loopback, then
//! reported, planned and rendered in every way; none of it holds a canary.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde::Serialize;
use stolos::cluster::{CollectRequest, Collecting, Purpose, kubeconfig_facts};
use stolos::document::{Body, Document, DocumentError, Run};
use stolos::fleet::propose::{Wishes, propose};
use stolos::fleet::{Area, Fleet, infer};
use stolos::inventory::{Inventory, Observation};
use stolos::plan::document::PlanDocument;
use stolos::plan::{Plan, text};
use stolos::reconcile::{self, Given};
use stolos::render::status::Look;
use stolos::render::{links, status as shown, trust as shown_trust};
use stolos::trust::RootOnHand;
use stolos::{leave, status, trust};

use crate::chance::Chance;
use crate::cluster::Cluster;
use crate::known::Known;
use crate::mutation::wrong_text;
use crate::panics;
use crate::reach::connected;
use crate::seeds;
use crate::server::Server;
use crate::verdict::Verdict;

const SEED: u64 = 0x616e_7377;
/// Each asks two servers for some thirty answers, each of which is one input.
const ROUNDS: u64 = 100;
pub const INPUTS: usize = 3_500;
/// Kubeconfigs in remote Secrets.
pub const REMOTE: u64 = 1_000;

/// Read for every command at once.
const EVERYTHING: [Purpose; 7] = [
    Purpose::Status,
    Purpose::TrustReport,
    Purpose::Trust,
    Purpose::Mesh,
    Purpose::Links,
    Purpose::Istiods,
    Purpose::Leave,
];

const FLEET: &str = "{apiVersion: stolos.dev/v1alpha1, kind: Fleet, metadata: {name: prod}, spec: {clusters: [\
    {name: east, network: net-east}, {name: west, network: net-west}]}}";

#[test]
fn answers_made_wrong_say_nothing() {
    let mut known = Known::new(SEED);
    let round = Arc::new(AtomicU64::new(0));
    let mut servers: Vec<(&str, Server)> = Vec::new();
    for (name, peer) in [("east", "west"), ("west", "east")] {
        let cluster = Cluster::new(&mut known, name, peer, "https://127.0.0.1:1");
        let round = Arc::clone(&round);
        let answers = move |request: &crate::server::Request| {
            cluster.wrong(request, SEED + round.load(Ordering::SeqCst))
        };
        servers.push((name, Server::start(None, answers)));
    }
    let verdict = Verdict::new(&known);
    let fleet: Fleet = stolos::yaml::from_str(FLEET).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (mut inputs, mut seen) = (0, 0);
    for number in 0..ROUNDS {
        round.store(number, Ordering::SeqCst);
        let inventory = runtime.block_on(read(&servers));
        seen += inventory.all_seen().count();
        inputs += servers
            .iter()
            .map(|(_, server)| server.take_requests().len())
            .sum::<usize>();
        let said = panics::caught(|| said_of(&fleet, &inventory));
        let what = format!("answers of round {number} of the seed {SEED:#x}");
        verdict.look_strictly(&what, said.as_bytes());
    }
    verdict.assert_clean();
    assert!(inputs >= INPUTS, "{inputs} answers were given");
    assert!(seen > 60, "{seen} clusters were read all the same");
}

#[test]
fn remote_kubeconfigs_made_wrong_say_nothing() {
    let mut known = Known::new(SEED);
    let sound = seeds::kubeconfig(&mut known, "https://127.0.0.1:1");
    let verdict = Verdict::new(&known);
    let contexts: Vec<String> = sound["contexts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|context| context["name"].as_str().unwrap().to_owned())
        .collect();
    for number in 0..REMOTE {
        let mut chance = Chance::new(SEED + number);
        let mut kubeconfig = sound.clone();
        kubeconfig["current-context"] = chance.one(&contexts).clone().into();
        let bytes = wrong_text(&kubeconfig, &mut chance, &seeds::is_public);
        let said = panics::caught(|| {
            let (entry, token) = kubeconfig_facts(&bytes);
            format!("{entry:?}\n{token:?}\n{}", serde_json::to_string(&entry).unwrap())
        });
        let what = format!("remote kubeconfig {number} of the seed {SEED:#x}");
        verdict.look_strictly(&what, said.as_bytes());
    }
    verdict.assert_clean();
}

/// What a session would see of these servers.
pub async fn read(servers: &[(&str, Server)]) -> Inventory {
    let mut clients = BTreeMap::new();
    for (name, server) in servers {
        clients.insert((*name).to_owned(), connected(name, &server.url).await);
    }
    let requests = clients.into_iter().map(|(name, client)| CollectRequest {
        name: name.parse().unwrap(),
        context: name,
        client: Ok(client),
        system_namespaces: vec!["istio-system".to_owned()],
        pinned_uid: None,
        expects_istiod: true,
        is_named_by_file: true,
    });
    Collecting::begin(requests.collect(), &EVERYTHING, 4).end().await
}

fn push(said: &mut String, what: &(impl Debug + Serialize)) {
    said.push_str(&format!(
        "{what:?}\n{}\n",
        serde_json::to_string(what).unwrap_or_default()
    ));
}

fn push_document(said: &mut String, inventory: &Inventory, body: impl Body) {
    let run = Run {
        at: Timestamp::UNIX_EPOCH,
        id: "run".to_owned(),
    };
    let document = Document::new(&run, DocumentError::of(inventory), body);
    said.push_str(&serde_json::to_string(&document).unwrap());
    said.push_str(&stolos::yaml::to_string(&document).unwrap());
}

fn push_plan(said: &mut String, inventory: &Inventory, plan: &Plan) {
    said.push_str(&format!("{}{}{plan:?}", text::text(plan), text::every_step(plan)));
    push_document(said, inventory, PlanDocument::from(plan));
}

/// Everything that commands make of an inventory.
fn said_of(fleet: &Fleet, inventory: &Inventory) -> String {
    let mut said = String::new();
    let at = Timestamp::now();
    let root = RootOnHand::default();
    push(&mut said, inventory);
    for (_, failure) in inventory.unreachable() {
        said.push_str(&format!("{failure}\n"));
    }
    for fleet in [Some(fleet), None] {
        let report = status::report(inventory, fleet, Some(&root), at);
        for wide in [false, true] {
            let look = Look { wide, colored: wide };
            said.push_str(&shown::report(&report, look));
            said.push_str(&links::links(&report.links, look));
        }
        push_document(&mut said, inventory, report.clone());
        push_document(&mut said, inventory, report.link_list());
        let report = trust::report::report(fleet, inventory, Some(&root), at);
        said.push_str(&shown_trust::text(&report));
        push_document(&mut said, inventory, report);
    }
    let given = Given {
        inventory,
        renderings: &BTreeMap::new(),
        root: &root,
        at,
        areas: &Area::ALL,
        adopts: false,
    };
    push_plan(&mut said, inventory, &reconcile::plan(fleet, &given));
    let choice = leave::Choice {
        keep_mesh: false,
        allow_disruption: true,
        ..leave::Choice::default()
    };
    let going = leave::plan(fleet, inventory, &["west".parse().unwrap()].into(), choice);
    push_plan(&mut said, inventory, &going.plan);
    let observed: Vec<(String, Observation)> = inventory
        .clusters
        .iter()
        .map(|(name, observation)| (name.to_string(), observation.clone()))
        .collect();
    let name = &fleet.metadata.name;
    said.push_str(&format!("{:?}", infer::from_mesh(&observed, name)));
    said.push_str(&format!(
        "{:?}",
        propose(&observed, name, None, &[], &Wishes::default())
    ));
    said
}
