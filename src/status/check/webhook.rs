//! Whether the API server reaches istiod where it has to: injection and validation.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::fleet::Role;
use crate::inventory::Object;
use crate::inventory::kind::{MUTATING_WEBHOOK, VALIDATING_WEBHOOK};
use crate::status::catalogue::{Entry, Found, Severity};
use crate::status::trust_view::{fingerprints, short};
use crate::status::view::{ClusterView, View};

/// This area's part of the catalogue.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: "webhook-no-authority",
        severity: Severity::Error,
        title: "A webhook of istiod's has no CA bundle",
        explanation: "istiod writes the CA bundle into its webhooks itself once it is ready, and into those of remotes \
                      once it reads them. Without one the API \
                      server does not accept istiod's certificate: pods that are to be injected cannot start.",
        hint: "see that istiod is ready and may update webhook configurations; restart it",
        restates_unread: false,
        check: no_authority,
    },
    Entry {
        code: "webhook-wrong-authority",
        severity: Severity::Error,
        title: "A webhook's CA bundle is not the root that istiod serves under",
        explanation: "Its certificates have nothing in common with the roots that workloads are given. An installer \
                      that writes the whole object resets what istiod had put there.",
        hint: "restart istiod, which writes it anew; keep other tools from writing `caBundle`",
        restates_unread: false,
        check: wrong_authority,
    },
    Entry {
        code: "validation-ignored",
        severity: Severity::Warning,
        title: "Istio's configuration is accepted without validation when istiod fails",
        explanation: "istiod sets the failure policy of its validating webhook to Fail once it has proved that it \
                      works. Ignore means that it has not yet, or that another installer wrote it back.",
        hint: "see that istiod is ready; keep other tools from writing `failurePolicy`",
        restates_unread: false,
        check: validation_ignored,
    },
    Entry {
        code: "injection-double",
        severity: Severity::Error,
        title: "Two webhooks inject into the same pods",
        explanation: "`istioctl install` deactivates `istio-sidecar-injector` when it makes \
                      `istio-revision-tag-default`. Applying the rendered one over it activates it again: both then \
                      select the same pods.",
        hint: "keep one: delete MutatingWebhookConfiguration istio-revision-tag-default, or deactivate the other",
        restates_unread: false,
        check: double_injection,
    },
];

/// One webhook of a configuration of a cluster.
struct Webhook<'view, 'world> {
    cluster: &'view ClusterView<'world>,
    configuration: &'world Object,
    webhook: &'world Value,
}

impl Webhook<'_, '_> {
    fn called(&self) -> String {
        let name = self.webhook["name"].as_str().unwrap_or_default();
        format!(
            "{} {} ({name})",
            self.configuration.kind(),
            self.configuration.name()
        )
    }

    /// The CA bundle, PEM; absent where it is empty.
    fn authority(&self) -> Option<String> {
        let encoded = self.webhook["clientConfig"]["caBundle"].as_str()?;
        let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        (!text.trim().is_empty()).then_some(text)
    }

    fn validates(&self) -> bool {
        self.configuration.is_of(VALIDATING_WEBHOOK)
    }
}

/// The webhooks that an istiod of the same cluster serves, and a remote's that its primary's serves,
/// unless they are deactivated.
fn webhooks<'view, 'world>(view: &'view View<'world>) -> Vec<Webhook<'view, 'world>> {
    let mut found = Vec::new();
    for (cluster, inventory) in view.seen() {
        let mutating = inventory.of_kind(MUTATING_WEBHOOK);
        for configuration in mutating.chain(inventory.of_kind(VALIDATING_WEBHOOK)) {
            let webhooks = configuration.list(&["webhooks"]).iter();
            let active = webhooks
                .filter(|webhook| is_served(cluster, configuration, webhook) && !is_deactivated(webhook));
            found.extend(active.map(|webhook| Webhook {
                cluster,
                configuration,
                webhook,
            }));
        }
    }
    found
}

/// Whether an istiod of the cluster serves it, or, where it is a remote's injector, one of its primary.
/// An istiod gives no CA bundle to what validates in a remote: it reads no configuration there (Istio:
/// `pilot/pkg/serviceregistry/kube/controller/multicluster.go`). An external one does in its config cluster.
fn is_served(cluster: &ClusterView<'_>, configuration: &Object, webhook: &Value) -> bool {
    let service = &webhook["clientConfig"]["service"];
    let name = service["name"].as_str().unwrap_or_default();
    let mut planes = cluster.planes().iter();
    let here = planes.any(|plane| service["namespace"] == plane.namespace.as_str());
    let injects = configuration.is_of(MUTATING_WEBHOOK);
    let remote = cluster.spec.filter(|spec| match spec.role {
        Role::Remote => injects,
        Role::Config => true,
        Role::Primary | Role::External => false,
    });
    let from_afar = remote.is_some_and(|spec| service["namespace"] == spec.system_namespace());
    name.starts_with("istiod") && (here || from_afar)
}

/// istioctl's mark on an injector that a revision tag stands in for.
fn is_deactivated(webhook: &Value) -> bool {
    webhook["namespaceSelector"]["matchLabels"]["istio.io/deactivated"] == "never-match"
}

/// What is found of webhooks, once a configuration: its webhooks are written together.
fn each_configuration(view: &View<'_>, problem: impl Fn(&Webhook<'_, '_>) -> Option<String>) -> Vec<Found> {
    let mut seen = BTreeSet::new();
    webhooks(view)
        .iter()
        .filter_map(|webhook| {
            let message = format!("{} {}", webhook.called(), problem(webhook)?);
            let key = (
                webhook.cluster.name,
                webhook.configuration.kind(),
                webhook.configuration.name(),
            );
            seen.insert(key)
                .then(|| Found::within(webhook.cluster.name, message))
        })
        .collect()
}

fn no_authority(view: &View<'_>) -> Vec<Found> {
    each_configuration(view, |webhook| {
        webhook
            .authority()
            .is_none()
            .then(|| "has an empty caBundle".to_owned())
    })
}

fn wrong_authority(view: &View<'_>) -> Vec<Found> {
    each_configuration(view, |webhook| {
        let text = webhook.authority()?;
        let served = fingerprints(webhook.cluster.trust.roots.known()?);
        let first_served = served.first()?;
        match view.bundles.parse(&text) {
            Err(error) => Some(format!("has a caBundle that cannot be read: {error}")),
            Ok(bundle) => {
                let bundle = fingerprints(&bundle);
                let carried = bundle.first().copied().unwrap_or_default();
                (!bundle.iter().any(|root| served.contains(root))).then(|| {
                    format!(
                        "has the caBundle {}, workloads are given {}",
                        short(carried),
                        short(first_served)
                    )
                })
            }
        }
    })
}

fn validation_ignored(view: &View<'_>) -> Vec<Found> {
    each_configuration(view, |webhook| {
        (webhook.validates() && webhook.webhook["failurePolicy"] == "Ignore")
            .then(|| "has failurePolicy Ignore".to_owned())
    })
}

fn double_injection(view: &View<'_>) -> Vec<Found> {
    let mut by_selectors: BTreeMap<(&str, String), BTreeSet<&str>> = BTreeMap::new();
    for webhook in webhooks(view).iter().filter(|webhook| !webhook.validates()) {
        let body = webhook.webhook;
        let selectors = format!("{}{}", body["namespaceSelector"], body["objectSelector"]);
        let key = (webhook.cluster.name.as_str(), selectors);
        by_selectors
            .entry(key)
            .or_default()
            .insert(webhook.configuration.name());
    }
    let doubled: BTreeSet<(&str, Vec<&str>)> = by_selectors
        .into_iter()
        .filter(|(_, configurations)| configurations.len() > 1)
        .map(|((cluster, _), configurations)| (cluster, configurations.into_iter().collect()))
        .collect();
    doubled
        .into_iter()
        .map(|(cluster, names)| {
            let message = format!(
                "MutatingWebhookConfigurations {} select the same pods",
                names.join(" and ")
            );
            Found::within(cluster, message)
        })
        .collect()
}
