//! Which plugins may run (KEP-3104: `credentialPluginPolicy` and `credentialPluginAllowlist` of
//! kubectl's kuberc; client-go `plugin/pkg/client/auth/exec/exec.go`, `checkAllowlistLocked`).

use std::path::Path;
use std::str::FromStr;

use thiserror::Error;

use super::lookup;

/// Which plugins may run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Policy {
    /// All of them.
    #[default]
    All,
    /// None.
    None,
    /// Those whose command is one of these names or paths.
    Commands(Vec<String>),
}

/// Why a policy cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// A list without an entry, or with an empty one.
    #[error("a command is empty: give `all`, `none` or a list such as `aws,/usr/bin/kubelogin`")]
    Empty,
    /// `all` or `none` beside commands.
    #[error("`{0}` stands alone, not in a list")]
    Mixed(String),
    /// A path that says the same in a longer way: refused, since it is compared letter by letter.
    #[error("{0:?} is not a plain path: leave out `.`, `..` and doubled or trailing separators")]
    NotPlain(String),
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let commands: Vec<&str> = text.split(',').map(str::trim).collect();
        match commands[..] {
            ["all"] => return Ok(Self::All),
            ["none"] => return Ok(Self::None),
            _ => {}
        }
        for command in &commands {
            match *command {
                "" => return Err(PolicyError::Empty),
                "all" | "none" => return Err(PolicyError::Mixed((*command).to_owned())),
                command if lookup::clean(command) != command => {
                    return Err(PolicyError::NotPlain(command.to_owned()));
                }
                _ => {}
            }
        }
        Ok(Self::Commands(commands.into_iter().map(str::to_owned).collect()))
    }
}

impl Policy {
    /// Whether a plugin may run: its command as the kubeconfig has it or the program that it was
    /// found to be stands in the list, or an entry of the same base name is found to be that
    /// program. A name in the list does not admit a program of that name that lies elsewhere.
    pub(super) fn permits(&self, command: &str, program: &Path) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Commands(entries) => entries.iter().any(|entry| {
                *entry == lookup::clean(command)
                    || Path::new(entry) == program
                    || (Path::new(entry).file_name() == program.file_name()
                        && lookup::find(entry).is_some_and(|found| found == program))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_all_or_none_or_a_list() {
        assert_eq!("all".parse(), Ok(Policy::All));
        assert_eq!("none".parse(), Ok(Policy::None));
        let list = Policy::Commands(vec!["aws".to_owned(), "/usr/bin/kubelogin".to_owned()]);
        assert_eq!("aws, /usr/bin/kubelogin".parse(), Ok(list));
    }

    #[test]
    fn a_slip_in_a_policy_is_an_error_and_no_open_door() {
        for empty in ["", " ", "aws,", ",aws", "aws,,gcloud"] {
            assert_eq!(empty.parse::<Policy>(), Err(PolicyError::Empty), "{empty:?}");
        }
        assert_eq!(
            "aws,all".parse::<Policy>(),
            Err(PolicyError::Mixed("all".to_owned()))
        );
        for long in ["/usr//bin/aws", "./aws", "/usr/bin/../bin/aws", "/usr/bin/"] {
            assert_eq!(
                long.parse::<Policy>(),
                Err(PolicyError::NotPlain(long.to_owned())),
                "{long:?}"
            );
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_command_is_admitted_by_its_name_its_path_or_the_program_it_is() {
        let shell = lookup::find("sh").expect("there is a shell");
        let path = shell.to_str().expect("its path is text");
        let list = |entry: &str| Policy::Commands(vec![entry.to_owned()]);
        // As kubectl: by the very command, by the program, by a name that is found to be the program.
        assert!(list("sh").permits("sh", &shell));
        assert!(list(path).permits("sh", &shell));
        assert!(list("sh").permits(path, &shell));
        // A program elsewhere that only bears the name.
        assert!(!list("sh").permits("/nowhere/sh", Path::new("/nowhere/sh")));
        assert!(!list("bash").permits("sh", &shell));
        assert!(!Policy::None.permits("sh", &shell));
        assert!(Policy::All.permits("sh", &shell));
    }
}
