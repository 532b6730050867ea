//! What user agents say of themselves, remembered: a few hundred different ones send nearly all requests.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::domain::device::{self, Device};

/// A flood of made-up agents empties the table, not the memory.
const MOST: usize = 4_096;

#[derive(Debug, Clone, Copy)]
pub struct Agent {
    pub is_bot: bool,
    pub device: Device,
}

#[derive(Debug, Default)]
pub struct Agents {
    known: Mutex<HashMap<String, Agent>>,
}

impl Agents {
    pub fn read(&self, user_agent: &str) -> Agent {
        if let Some(agent) = self.known.lock().unwrap_or_else(|e| e.into_inner()).get(user_agent) {
            return *agent;
        }
        let agent = Agent { is_bot: device::is_bot(user_agent), device: device::parse(user_agent) };
        let mut known = self.known.lock().unwrap_or_else(|e| e.into_inner());
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(user_agent.to_owned(), agent);
        agent
    }
}
