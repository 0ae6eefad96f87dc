//! `stolos link sync`

use crate::cli::apply;
use crate::error::Result;
use crate::fleet::Area;
use crate::render::Terminal;

/// Makes the links what the fleet file says.
pub async fn run(arguments: apply::Arguments, terminal: &Terminal) -> Result<()> {
    apply::areas(&[Area::Links], arguments, terminal).await
}
