//! `stolos mesh install`

use crate::cli::apply;
use crate::error::Result;
use crate::fleet::Area;
use crate::render::Terminal;

/// Installs Istio, and the intermediates that it signs with, without the links.
pub async fn run(arguments: apply::WholeWork, terminal: &Terminal) -> Result<()> {
    apply::whole(&[Area::Trust, Area::Mesh], arguments, None, terminal).await
}
