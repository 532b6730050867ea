//! Files of history: who brought what, how far each has come, and by what its rows are known again.

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::ids::{ImportId, InboxId};
use crate::domain::import::{ImportKind, Refusal};
use crate::domain::question::Cursor;
use crate::domain::time::Time;
use crate::error::Result;

/// Refused rows that are kept of one file; of more the count is enough.
pub const MOST_REFUSALS: i64 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportState {
    /// Its bytes are on their way.
    Coming,
    Running,
    Done,
    Failed,
    Undone,
}

impl ImportState {
    pub const ALL: [ImportState; 5] = [Self::Coming, Self::Running, Self::Done, Self::Failed, Self::Undone];

    pub fn word(self) -> &'static str {
        match self {
            Self::Coming => "coming",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Undone => "undone",
        }
    }

    fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|s| s.word() == text).unwrap_or(Self::Failed)
    }
}

/// What became of the rows so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    pub rows: i64,
    pub new: i64,
    pub changed: i64,
    pub known: i64,
    pub joined: i64,
    pub left_out: i64,
    pub refused: i64,
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        self.rows += other.rows;
        self.new += other.new;
        self.changed += other.changed;
        self.known += other.known;
        self.joined += other.joined;
        self.left_out += other.left_out;
        self.refused += other.refused;
    }
}

#[derive(Debug, Clone)]
pub struct Import {
    pub id: ImportId,
    pub kind: ImportKind,
    pub name: String,
    pub digest: Option<Vec<u8>>,
    /// JSON: what the file does not say by itself.
    pub home: String,
    pub who: String,
    pub state: ImportState,
    pub bytes: i64,
    pub received: i64,
    pub inbox: Option<InboxId>,
    pub counts: Counts,
    pub problem: Option<String>,
    pub created_at: Time,
    pub changed_at: Time,
    pub ended_at: Option<Time>,
}

pub struct NewImport<'a> {
    pub kind: ImportKind,
    pub name: &'a str,
    pub digest: Option<&'a [u8]>,
    pub home: &'a str,
    pub who: &'a str,
    pub state: ImportState,
    pub bytes: i64,
    pub inbox: Option<InboxId>,
    pub now: Time,
}

pub fn add(c: &SiteConn, new: &NewImport) -> Result<ImportId> {
    let id = c.next_number("import")?;
    c.execute(
        "insert into imports (site_id, id, kind, name, digest, home, who, state, bytes, inbox_id, created_at, changed_at)
         values (:site, :id, :kind, :name, :digest, :home, :who, :state, :bytes, :inbox, :now, :now)",
        named_params! {":id": id, ":kind": new.kind.word(), ":name": new.name, ":digest": new.digest, ":home": new.home, ":who": new.who,
        ":state": new.state.word(), ":bytes": new.bytes, ":inbox": new.inbox.map(InboxId::number), ":now": new.now.ms()},
    )?;
    Ok(ImportId::new(id))
}

const IMPORT: &str = "id, kind, name, digest, home, who, state, bytes, received, inbox_id, rows, new_rows, changed_rows, known_rows, \
    joined_rows, left_out_rows, refused_rows, problem, created_at, changed_at, ended_at";

pub fn find(c: &SiteConn, id: ImportId) -> Result<Option<Import>> {
    c.find(&format!("select {IMPORT} from imports where site_id = :site and id = :id"), named_params! {":id": id.number()}, read)
}

/// A run of the very same file that was cut off.
pub fn find_cut_off(c: &SiteConn, kind: ImportKind, digest: &[u8]) -> Result<Option<Import>> {
    c.find(
        &format!(
            "select {IMPORT} from imports where site_id = :site and kind = :kind and digest = :digest and state = 'running'
             order by id limit 1"
        ),
        named_params! {":kind": kind.word(), ":digest": digest},
        read,
    )
}

/// Those whose bytes are on their way and those that run.
pub fn list_open(c: &SiteConn) -> Result<Vec<Import>> {
    c.list(&format!("select {IMPORT} from imports where site_id = :site and (state = 'coming' or state = 'running')"), &[], read)
}

/// The newest first.
pub fn page(c: &SiteConn, cursor: Option<Cursor>, limit: usize) -> Result<(Vec<Import>, Option<Cursor>)> {
    let mut all: Vec<Import> = c.list(
        &format!("select {IMPORT} from imports where site_id = :site and id < :before order by id desc limit :limit"),
        named_params! {":before": cursor.map_or(i64::MAX, |c| c.id), ":limit": limit as i64 + 1},
        read,
    )?;
    let has_more = all.len() > limit;
    all.truncate(limit);
    let next = all.last().filter(|_| has_more).map(|i| Cursor { key: None, id: i.id.number() });
    Ok((all, next))
}

fn read(row: &Row) -> rusqlite::Result<Import> {
    let (kind, state): (String, String) = (row.get(1)?, row.get(6)?);
    Ok(Import {
        id: ImportId::new(row.get(0)?),
        // The table takes no other word.
        kind: ImportKind::parse(&kind).unwrap_or(ImportKind::Orders),
        name: row.get(2)?,
        digest: row.get(3)?,
        home: row.get(4)?,
        who: row.get(5)?,
        state: ImportState::parse(&state),
        bytes: row.get(7)?,
        received: row.get(8)?,
        inbox: row.get::<_, Option<i64>>(9)?.map(InboxId::new),
        counts: Counts {
            rows: row.get(10)?,
            new: row.get(11)?,
            changed: row.get(12)?,
            known: row.get(13)?,
            joined: row.get(14)?,
            left_out: row.get(15)?,
            refused: row.get(16)?,
        },
        problem: row.get(17)?,
        created_at: Time::from_ms(row.get(18)?),
        changed_at: Time::from_ms(row.get(19)?),
        ended_at: row.get::<_, Option<i64>>(20)?.map(Time::from_ms),
    })
}

pub fn set_received(c: &SiteConn, id: ImportId, received: i64, now: Time) -> Result<()> {
    c.execute(
        "update imports set received = :received, changed_at = :now where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":received": received, ":now": now.ms()},
    )?;
    Ok(())
}

/// It begins, or goes on.
pub fn set_running(c: &SiteConn, id: ImportId, digest: &[u8], inbox: InboxId, now: Time) -> Result<()> {
    c.execute(
        "update imports set state = 'running', digest = :digest, inbox_id = :inbox, problem = null, changed_at = :now
         where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":digest": digest, ":inbox": inbox.number(), ":now": now.ms()},
    )?;
    Ok(())
}

/// As far as one commit has brought it.
pub fn add_counts(c: &SiteConn, id: ImportId, counts: &Counts, now: Time) -> Result<()> {
    c.execute(
        "update imports set rows = rows + :rows, new_rows = new_rows + :new, changed_rows = changed_rows + :changed,
           known_rows = known_rows + :known, joined_rows = joined_rows + :joined, left_out_rows = left_out_rows + :left_out,
           refused_rows = refused_rows + :refused, changed_at = :now
         where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":rows": counts.rows, ":new": counts.new, ":changed": counts.changed, ":known": counts.known,
        ":joined": counts.joined, ":left_out": counts.left_out, ":refused": counts.refused, ":now": now.ms()},
    )?;
    Ok(())
}

pub fn set_ended(c: &SiteConn, id: ImportId, state: ImportState, problem: Option<&str>, now: Time) -> Result<()> {
    c.execute(
        "update imports set state = :state, problem = :problem, changed_at = :now, ended_at = :now where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":state": state.word(), ":problem": problem, ":now": now.ms()},
    )?;
    Ok(())
}

/// A file that was never run.
pub fn remove(c: &SiteConn, id: ImportId) -> Result<()> {
    c.execute("delete from imports where site_id = :site and id = :id and state = 'coming'", named_params! {":id": id.number()})?;
    Ok(())
}

/// A row that came before.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownRow {
    pub is_same: bool,
    pub fact: Option<i64>,
}

pub fn find_row(c: &SiteConn, kind: ImportKind, key: &[u8], content: &[u8]) -> Result<Option<KnownRow>> {
    c.find(
        "select content = :content, fact_id from import_rows where site_id = :site and kind = :kind and key = :key",
        named_params! {":kind": kind.word(), ":key": key, ":content": content},
        |row| Ok(KnownRow { is_same: row.get(0)?, fact: row.get(1)? }),
    )
}

pub fn save_row(c: &SiteConn, kind: ImportKind, key: &[u8], content: &[u8], import: ImportId, fact: Option<i64>) -> Result<()> {
    c.execute(
        "insert into import_rows (site_id, kind, key, content, import_id, fact_id)
         values (:site, :kind, :key, :content, :import, :fact)
         on conflict do update set content = excluded.content, import_id = excluded.import_id, fact_id = excluded.fact_id",
        named_params! {":kind": kind.word(), ":key": key, ":content": content, ":import": import.number(), ":fact": fact},
    )?;
    Ok(())
}

/// So that the rows of an import that was undone can come again. Gives how many there were.
pub fn forget_rows(c: &SiteConn, import: ImportId, limit: i64) -> Result<usize> {
    let keys: Vec<(String, Vec<u8>)> = c.list(
        "select kind, key from import_rows where site_id = :site and import_id = :import limit :limit",
        named_params! {":import": import.number(), ":limit": limit},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    for (kind, key) in &keys {
        c.execute(
            "delete from import_rows where site_id = :site and kind = :kind and key = :key",
            named_params! {":kind": kind, ":key": key},
        )?;
    }
    Ok(keys.len())
}

pub fn add_refusal(c: &SiteConn, import: ImportId, line: u64, refusal: &Refusal) -> Result<()> {
    c.execute(
        "insert into import_refusals (site_id, import_id, line, field, remedy) values (:site, :import, :line, :field, :remedy)
         on conflict do nothing",
        named_params! {":import": import.number(), ":line": line as i64, ":field": refusal.field, ":remedy": refusal.remedy},
    )?;
    Ok(())
}

/// Lines that were refused, in the order of the file.
pub fn list_refusals(c: &SiteConn, import: ImportId, after: i64, limit: usize) -> Result<Vec<(i64, Refusal)>> {
    c.list(
        "select line, field, remedy from import_refusals where site_id = :site and import_id = :import and line > :after
         order by line limit :limit",
        named_params! {":import": import.number(), ":after": after, ":limit": limit as i64},
        |row| Ok((row.get(0)?, Refusal { field: row.get(1)?, remedy: row.get(2)? })),
    )
}
