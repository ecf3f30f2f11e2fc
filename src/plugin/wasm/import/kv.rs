//! What a tool remembers: in the store, under its own name, within its quota.

use crate::plugin::kv::{Memory, Refusal};
use crate::plugin::wasm::bindings::tools::kv::{Error, Host};
use crate::plugin::wasm::tool::State;

type Answer<T> = wasmtime::Result<Result<T, Error>>;

impl State {
    fn memory(&self) -> Result<Memory, Error> {
        let plugin = &self.vitals.id;
        if !self.rights.kv {
            let cure = format!("plugin `{plugin}` may not remember things; set plugins.grants.{plugin}.kv: true");
            self.denials.deny("kv", cure);
            return Err(Error::Unavailable);
        }
        self.means.memory.clone().ok_or(Error::Unavailable)
    }

    fn refused(&self, refusal: Refusal) -> Error {
        match refusal {
            Refusal::Quota => {
                let (plugin, most) = (&self.vitals.id, self.vitals.limits.kv);
                let cure = format!("plugin `{plugin}` remembers more than {most} bytes; raise plugins.limits.kv");
                self.denials.deny("kv", cure);
                Error::Quota
            }
            Refusal::TooLarge => Error::TooLarge,
            Refusal::Unavailable => Error::Unavailable,
        }
    }
}

impl Host for State {
    async fn get(&mut self, key: String) -> Answer<Option<Vec<u8>>> {
        let memory = match self.memory() {
            Ok(memory) => memory,
            Err(error) => return Ok(Err(error)),
        };
        Ok(memory.get(&key).await.map_err(|refusal| self.refused(refusal)))
    }

    async fn set(&mut self, key: String, value: Vec<u8>) -> Answer<()> {
        let memory = match self.memory() {
            Ok(memory) => memory,
            Err(error) => return Ok(Err(error)),
        };
        Ok(memory.set(&key, Some(&value)).await.map_err(|refusal| self.refused(refusal)))
    }

    async fn delete(&mut self, key: String) -> Answer<()> {
        let memory = match self.memory() {
            Ok(memory) => memory,
            Err(error) => return Ok(Err(error)),
        };
        Ok(memory.set(&key, None).await.map_err(|refusal| self.refused(refusal)))
    }

    async fn keys(&mut self, prefix: String, after: Option<String>, limit: u32) -> Answer<Vec<String>> {
        let memory = match self.memory() {
            Ok(memory) => memory,
            Err(error) => return Ok(Err(error)),
        };
        let keys = memory.keys(&prefix, after.as_deref(), limit).await;
        Ok(keys.map_err(|refusal| self.refused(refusal)))
    }
}
