//! What `leave` and `mesh uninstall` share: clusters out of which is taken what the fleet put there.

use std::collections::BTreeSet;

use super::args::{Changing, Connecting, FleetArgument, Reading};
use super::carry_out::{self, Passphrase};
use super::collecting::Scope;
use super::plan::PlanOutput;
use super::planning::{Planned, acting_users, refuse_twins, refuse_unproven};
use super::session::Session;
use crate::cluster::{Purpose, custom_resources, namespace_contents};
use crate::document::{Document, DocumentError};
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::ClusterName;
use crate::host::fleet_file::FleetFile;
use crate::host::keys::RootStore;
use crate::inventory::kind::CUSTOM_RESOURCE_DEFINITION;
use crate::inventory::{Inventory, Object, Observation};
use crate::leave::{self, Choice, Leaving};
use crate::plan::document::PlanDocument;
use crate::plan::ownership::Ownership;
use crate::render::Terminal;

/// Flags of commands that take clusters out of the mesh.
#[derive(Debug, clap::Args)]
pub struct Departing {
    /// Take Istio's definitions out as well; where resources of others would go with them, that wants --yes
    #[arg(long)]
    pub crds: bool,
    #[command(flatten)]
    pub changing: Changing,
    #[command(flatten)]
    file: FleetArgument,
    #[command(flatten)]
    connecting: Connecting,
    #[command(flatten)]
    output: PlanOutput,
}

/// A fleet and a way to its clusters.
pub struct Opened {
    session: Session,
    /// The fleet file.
    pub file: FleetFile,
}

/// What is to be done, as it was planned.
pub struct Departure {
    opened: Opened,
    leaving: BTreeSet<ClusterName>,
    inventory: Inventory,
    going: Leaving,
}

/// What became of it.
pub struct Departed {
    /// The fleet file, as it was opened.
    pub file: FleetFile,
    /// The clusters that were to go.
    pub leaving: BTreeSet<ClusterName>,
    /// Clusters of which nothing could be read: they are as they were.
    pub unreachable: Vec<ClusterName>,
    /// Whether no cluster at all gave an answer.
    pub nobody_answered: bool,
    /// Whether it is not known of some cluster that stays whether it reads one that went.
    pub peers_unread: bool,
}

impl Departing {
    /// The fleet file and a way to its clusters.
    pub async fn open(&self) -> Result<Opened> {
        let session = Session::of_fleet(&Reading::whole(&self.file, &self.connecting)).await?;
        match session.file.clone() {
            Some(file) => Ok(Opened { session, file }),
            None => Err(Error::request("take clusters out: there is no fleet file")),
        }
    }

    /// Reads the clusters, and plans how some of them go.
    ///
    /// # Errors
    ///
    /// Where something is in the way, which is shown then. `doing` is said of it.
    pub async fn plan(
        &self,
        doing: &str,
        mut opened: Opened,
        leaving: BTreeSet<ClusterName>,
        choice: Choice,
        terminal: &Terminal,
    ) -> Result<Departure> {
        let Opened { session, file } = &mut opened;
        let mut inventory = session.collect(Scope::All, Purpose::LEAVING, terminal).await;
        refuse_twins(&inventory)?;
        refuse_unproven(&file.fleet, &mut inventory);
        read_contents(session, file, &leaving, self.crds, &mut inventory).await;
        let choice = Choice {
            allow_disruption: self.changing.allow_disruption,
            definitions: self.crds,
            allow_loss: self.changing.yes,
            ..choice
        };
        let going = leave::plan(&file.fleet, &inventory, &leaving, choice);
        if going.plan.blocked.iter().any(|blocked| !blocked.unreachable) {
            terminal.say(crate::plan::text::text(&going.plan).trim_end());
            if let Some(format) = self.output.output.document() {
                let errors = DocumentError::of(&inventory);
                let document = Document::new(&session.run, errors, PlanDocument::from(&going.plan));
                terminal.document(format, &document)?;
            }
            return Err(Error::request(format!(
                "{doing}: see what is in the way above; nothing was changed"
            )));
        }
        Ok(Departure {
            opened,
            leaving,
            inventory,
            going,
        })
    }

    /// Shows the plan, asks, carries it out, and says what remains.
    pub async fn carry_out(mut self, departure: Departure, terminal: &Terminal) -> Result<Departed> {
        let Departure {
            opened: Opened { session, file },
            leaving,
            inventory,
            going:
                Leaving {
                    plan,
                    remains,
                    unreachable,
                },
        } = departure;
        let stays = |cluster| !leaving.contains(cluster);
        let peers_unread = plan.blocked.iter().any(|blocked| stays(&blocked.cluster));
        let planned = Planned {
            root_store: RootStore::of(&file.fleet, file.folder(), &RootStore::default_directory()?),
            fleet: file.fleet.clone(),
            inventory,
            plan,
            users: acting_users(&session, !self.changing.dry_run).await,
        };
        // It is its own consent to what it deletes; the plan is shown and asked for all the same.
        self.changing.allow_disruption = true;
        let passphrase = Passphrase::default();
        let format = self.output.output;
        let carried =
            carry_out::carry_out(&session, planned, &self.changing, &passphrase, format, terminal).await;
        for left in &remains {
            terminal.say(&format!("{}: {}", left.cluster, left.what));
        }
        let nobody_answered = match carried {
            Ok(()) => false,
            // Which clusters gave no answer is judged by the caller.
            Err(error) if error.message.is_empty() => error.kind == ErrorKind::Unreachable,
            Err(error) => return Err(error),
        };
        Ok(Departed {
            file,
            leaving,
            unreachable,
            nobody_answered,
            peers_unread,
        })
    }
}

impl Departure {
    /// The clusters that are to go.
    pub fn leaving(&self) -> &BTreeSet<ClusterName> {
        &self.leaving
    }

    /// Whether no cluster holds anything that is to go.
    pub fn is_empty(&self) -> bool {
        self.going.plan.steps.is_empty()
    }
}

impl Departed {
    /// The verdict of a plan that was only shown.
    pub fn verdict(&self) -> Result<()> {
        match (
            self.nobody_answered,
            self.peers_unread || !self.unreachable.is_empty(),
        ) {
            (true, _) => Err(Error::already_said(ErrorKind::Unreachable)),
            (false, true) => Err(Error::already_said(ErrorKind::Partial)),
            (false, false) => Ok(()),
        }
    }
}

/// What else is in the namespaces that could go, and which resources would go with Istio's definitions.
async fn read_contents(
    session: &Session,
    file: &FleetFile,
    leaving: &BTreeSet<ClusterName>,
    definitions: bool,
    inventory: &mut Inventory,
) {
    let going = session
        .members
        .iter()
        .filter(|member| leaving.contains(&member.name));
    for member in going {
        let (Ok(client), Some(spec)) = (&member.client, &member.spec) else {
            continue;
        };
        let Some(Observation::Seen(seen)) = inventory.clusters.get_mut(&member.name) else {
            continue;
        };
        seen.system_namespace_contents = namespace_contents(client, spec.system_namespace()).await.ok();
        if definitions {
            let is_ours =
                |object: &&Object| Ownership::of(object, &file.fleet.metadata.name) == Ownership::Ours;
            let ours = seen.of_kind(CUSTOM_RESOURCE_DEFINITION).filter(is_ours);
            seen.custom_resources = custom_resources(client, ours).await.ok();
        }
    }
}
