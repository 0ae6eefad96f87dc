//! The groups of flags that commands share.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::connection::credential::plugin::{PluginOptions, Plugins, Policy};
use crate::connection::deadlines::Deadlines;
use crate::fleet::pattern::Patterns;
use crate::render::{ColorChoice, Format, Style, others_are_seen};

/// Flags of every command.
#[derive(Debug, Clone, Args)]
pub struct Everywhere {
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, help_heading = "Everywhere")]
    color: Color,
    /// Print answers, warnings and errors, and nothing else
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    quiet: bool,
    /// Say more (-v what is done, -vv each request)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Everywhere")]
    verbose: u8,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Everywhere {
    /// How the terminal is to be written to.
    pub fn style(&self) -> Style {
        Style {
            color: match self.color {
                Color::Auto => ColorChoice::Auto,
                Color::Always => ColorChoice::Always,
                Color::Never => ColorChoice::Never,
            },
            quiet: self.quiet,
            verbosity: self.verbose,
        }
    }
}

/// The flag that names the fleet file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clusters")]
pub struct FleetArgument {
    /// The fleet file; default: the nearest `stolos.yaml` upward from the working directory
    #[arg(long, value_name = "PATH", env = "STOLOS_FLEET")]
    pub fleet: Option<PathBuf>,
}

/// Flags that say how clusters are reached.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clusters")]
pub struct Connecting {
    /// The kubeconfig; default: `KUBECONFIG`'s list, else `~/.kube/config`
    #[arg(long, value_name = "PATH")]
    pub kubeconfig: Option<PathBuf>,
    /// Act as this user
    #[arg(long = "as", value_name = "USER")]
    pub impersonate: Option<String>,
    /// Act as a member of this group; can be repeated
    #[arg(long = "as-group", value_name = "GROUP", requires = "impersonate")]
    pub impersonate_group: Vec<String>,
    /// Time for one request, and for reading one cluster (`500ms`, `10s`, `1m30s`)
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub request_timeout: Option<Duration>,
    /// Time for a connection (name, TCP, proxy, TLS) [default: the request's, up to 10s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub connect_timeout: Option<Duration>,
    /// Time for an answer to begin [default: the request's]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub first_byte_timeout: Option<Duration>,
    /// Time that an answer may pause once it has begun [default: half of the request's]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub pause_timeout: Option<Duration>,
    /// Credential plugins that may run: `all`, `none`, or commands (`aws,/usr/bin/kubelogin`)
    #[arg(
        long,
        value_name = "POLICY",
        default_value = "all",
        env = "STOLOS_EXEC_PLUGINS"
    )]
    pub exec_plugins: Policy,
    /// Time for a credential plugin that asks nobody [default: the request's]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub plugin_timeout: Option<Duration>,
    /// Time for a credential plugin while it may be asking you something
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    pub login_timeout: Option<Duration>,
    /// Clusters that are worked on at the same time; fewer spare this machine, and wait for one another
    #[arg(long, value_name = "COUNT", default_value_t = 1024, value_parser = clap::value_parser!(u16).range(1..))]
    pub parallel: u16,
}

impl Connecting {
    /// The deadline of a request.
    pub fn request_timeout(&self) -> Duration {
        self.request_timeout.unwrap_or(Duration::from_secs(10))
    }

    /// How long the steps of a request may take.
    pub fn deadlines(&self) -> Deadlines {
        let usual = Deadlines::within(self.request_timeout());
        Deadlines {
            connect: self.connect_timeout.unwrap_or(usual.connect),
            first_byte: self.first_byte_timeout.unwrap_or(usual.first_byte),
            between_bytes: self.pause_timeout.unwrap_or(usual.between_bytes),
            ..usual
        }
    }

    /// The run's credential plugins: one registry for all contexts.
    pub fn plugins(&self) -> Plugins {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Plugins::new(PluginOptions {
            policy: self.exec_plugins.clone(),
            timeout: self.plugin_timeout.unwrap_or_else(|| self.request_timeout()),
            interactive_timeout: self.login_timeout.unwrap_or(Duration::from_secs(120)),
            concurrent: (4 * cores).max(16),
            can_ask: std::io::stdin().is_terminal(),
            can_tell: others_are_seen(),
        })
    }
}

/// Flags that name kubeconfig contexts, and say how their clusters are reached.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clusters")]
pub struct Contexts {
    /// Only contexts that match (`east`, `prod-*`); can be repeated
    #[arg(long, value_name = "PATTERN")]
    pub context: Vec<String>,
    /// Not the contexts that match; can be repeated
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// How they are reached.
    #[command(flatten)]
    pub connecting: Connecting,
}

impl Contexts {
    /// Which contexts are meant.
    pub fn patterns(&self) -> Patterns {
        Patterns::new(&self.context, &self.exclude)
    }
}

/// Flags that say which clusters of the fleet are meant, or which contexts where there is no fleet
/// file, and how they are reached.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clusters")]
pub struct Reading {
    /// The fleet file.
    #[command(flatten)]
    pub file: FleetArgument,
    /// Which contexts.
    #[command(flatten)]
    pub contexts: Contexts,
    /// Only clusters with these labels in the fleet file (`env=prod,region=us-east`)
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub selector: Option<String>,
}

impl Reading {
    /// The whole fleet of a file.
    pub fn whole(file: &FleetArgument, connecting: &Connecting) -> Self {
        Self {
            file: file.clone(),
            contexts: Contexts {
                connecting: connecting.clone(),
                ..Contexts::default()
            },
            selector: None,
        }
    }
}

/// The flag that limits what is written.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Changing")]
pub struct ClusterArgument {
    /// Write only in this cluster of the fleet; can be repeated (reading stays fleet-wide)
    #[arg(long, value_name = "NAME")]
    pub cluster: Vec<String>,
}

/// Flags of commands that change clusters.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Changing")]
pub struct Changing {
    /// Show the plan and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Consent to the plan without being asked
    #[arg(short, long)]
    pub yes: bool,
    /// Consent to steps that can interrupt what serves now, too
    #[arg(long)]
    pub allow_disruption: bool,
    /// Time for the whole command (`90s`, `10m`)
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// A reference for the journal, such as a ticket's number
    #[arg(long, value_name = "TEXT")]
    pub change_ref: Option<String>,
}

impl Changing {
    /// The deadline of the whole command.
    pub fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(Duration::from_secs(600))
    }
}

/// How the answer is printed.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct OutputArguments {
    /// How to print the answer: `table`, `wide`, `json` or `yaml`
    #[arg(short, long, value_enum, default_value_t = Format::Table, value_name = "FORMAT",
          hide_possible_values = true, help_heading = "Output")]
    pub output: Format,
}

/// A duration as people type it: `10s`, `1m30s`, `500ms`; a bare number is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let problem = || format!("{text:?} is no duration: write it as `500ms`, `10s`, `1m30s`");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|character: char| !character.is_ascii_digit())
            .ok_or_else(problem)?;
        let number: u64 = rest[..digits].parse().map_err(|_| problem())?;
        let unit_end = rest[digits..]
            .find(|character: char| character.is_ascii_digit())
            .map_or(rest.len(), |length| digits + length);
        let millis = match &rest[digits..unit_end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(problem()),
        };
        total += Duration::from_millis(number.checked_mul(millis).ok_or_else(problem)?);
        rest = &rest[unit_end..];
    }
    if text.is_empty() {
        Err(problem())
    } else {
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_typed() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        for bad in [
            "",
            "s",
            "1d",
            "1.5s",
            "-1s",
            "99999999999999999999s",
            "99999999999999999h",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
