//! `stolos link sync`

use crate::cli::apply::{self, Work};
use crate::cli::carry_out::Passphrase;
use crate::cli::plan::IstioctlArgument;
use crate::error::Result;
use crate::fleet::Area;
use crate::render::Terminal;

/// Makes the links what the fleet file says.
pub async fn run(work: Work, terminal: &Terminal) -> Result<()> {
    let (passphrase, istioctl) = (Passphrase::default(), IstioctlArgument::default());
    apply::some(&[Area::Links], work, &passphrase, istioctl, terminal).await
}
