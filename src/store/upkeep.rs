//! What is done with the file as a whole, between two batches of the writer.

use super::{Store, pool, scope};
use crate::error::Result;

impl Store {
    /// For a folder that is thrown away: commits no longer wait for the disk. Lasts until the store is closed.
    pub async fn forgo_syncing(&self) -> Result<()> {
        self.between_batches(|conn| conn.execute_batch("pragma synchronous = off").map_err(scope::sql_error)).await
    }

    /// Writes the log back into the file and empties it. False where a reader still needs it.
    pub async fn checkpoint(&self) -> Result<bool> {
        self.between_batches(|conn| {
            // Not the usual patience: the writer waits for no reader.
            conn.execute_batch("pragma busy_timeout = 20").map_err(scope::sql_error)?;
            let busy = conn.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get::<_, i64>(0));
            pool::set_patience(conn).map_err(scope::sql_error)?;
            match busy {
                Ok(busy) => Ok(busy == 0),
                Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => Ok(false),
                Err(e) => Err(scope::sql_error(e)),
            }
        })
        .await
    }

    /// Writes the file anew without what was deleted. Needs as much free space again, and the writer waits for it.
    pub async fn rewrite(&self) -> Result<()> {
        self.between_batches(|conn| {
            // What is sorted meanwhile may be larger than the memory.
            let done = conn.execute_batch("pragma temp_store = file; vacuum;");
            conn.execute_batch("pragma temp_store = memory;").map_err(scope::sql_error)?;
            done.map_err(scope::sql_error)
        })
        .await
    }
}
