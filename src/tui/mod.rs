//! The dashboard.

use crate::model::Handle;
use std::sync::Arc;

pub async fn run(_handle: Arc<dyn Handle>, _who: String) -> std::io::Result<()> {
    Ok(())
}
