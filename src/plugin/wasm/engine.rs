//! The one engine: its features, its pool of instances, its ticker.

use std::future::Future;
use std::num::NonZero;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

use super::cache::{self, Cache};
use super::limits::{CORE_INSTANCES, MEMORIES, TABLES};
use super::pool::Pools;
use crate::config::{self, Timeouts};
use crate::egress::Egress;
use crate::model::{Error, Result};
use crate::plugin::process::Runner;
use crate::plugin::space::Space;
use crate::store::Store;
use crate::telemetry::metrics::Plugins;

/// How often running guests are interrupted to have their time measured.
pub(super) const TICK: Duration = Duration::from_millis(10);
/// Stack of a guest.
const STACK: usize = 512 << 10;
/// Memory and tables of a returned slot that stay mapped: what an ordinary exchange touches.
const KEEP_RESIDENT: usize = 512 << 10;

/// The sandbox that all plugins run in. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    pub(super) engine: Engine,
    pub(super) cache: Arc<Cache>,
    /// Of all versions, for when the engine has no room left.
    pub(super) pools: Pools,
    /// What guests do is counted here.
    pub(super) counts: Arc<Plugins>,
    /// Where tools run that compute for long.
    pub(super) apart: Arc<Apart>,
    /// What tools reach the world with.
    pub(super) outside: Option<Outside>,
}

/// What tools reach the world with.
#[derive(Clone)]
pub(super) struct Outside {
    pub(super) egress: Egress,
    pub(super) store: Store,
    pub(super) runner: Arc<Runner>,
    pub(super) space: Arc<Space>,
    pub(super) timeouts: Timeouts,
}

/// A runtime of its own for guests that compute for long, made for the first of them.
#[derive(Default)]
pub(super) struct Apart(OnceLock<Option<Runtime>>);

// === impl Sandbox ===

impl Sandbox {
    /// Makes the engine and starts its ticker.
    ///
    /// # Errors
    /// If the machine can't run compiled guests at all.
    pub fn new(config: &config::Plugins) -> Result<Self> {
        let engine = with_fallback(config, None)?;
        start_ticker(&engine)?;
        let cache = Arc::new(Cache::new(&config.cache, &engine));
        Ok(Self::of(engine, cache))
    }

    fn of(engine: Engine, cache: Arc<Cache>) -> Self {
        let (pools, counts, apart) = (Pools::default(), Arc::default(), Arc::default());
        Self { engine, cache, pools, counts, apart, outside: None }
    }

    /// Lets tools reach the world, as far as each is granted: hosts through `egress`, memory in `store`, programs by `runner`, and
    /// as much of the workspaces as `space` has.
    pub fn reaching(
        self,
        egress: Egress,
        timeouts: Timeouts,
        store: Store,
        runner: Arc<Runner>,
        space: Arc<Space>,
    ) -> Self {
        Self { outside: Some(Outside { egress, store, runner, space, timeouts }), ..self }
    }

    /// Counts what guests do in `counts`.
    pub fn counting(self, counts: Arc<Plugins>) -> Self {
        Self { counts, ..self }
    }

    /// One that compiles for all processors of this architecture, and runs nothing.
    ///
    /// # Errors
    /// As for [`Sandbox::new`].
    pub fn portable(config: &config::Plugins) -> Result<Self> {
        let engine = with_fallback(config, Some(cache::TARGET))?;
        let cache = Arc::new(Cache::portable(&config.cache, &engine));
        Ok(Self::of(engine, cache))
    }
}

// === impl Apart ===

impl Apart {
    /// Does `work` on its own threads, or here if there can be none; dropping the future drops the work.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let runtime = self.0.get_or_init(|| {
            let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(threads).thread_name("slow-tools").enable_all();
            builder.build().inspect_err(|error| tracing::warn!(%error, "slow tools have no threads of their own")).ok()
        });
        let Some(runtime) = runtime else { return work.await };
        let mut tasks = JoinSet::new();
        tasks.spawn_on(work, runtime.handle());
        match tasks.join_next().await {
            Some(Ok(outcome)) => outcome,
            Some(Err(error)) => Err(Error::internal(error)),
            None => Err(Error::internal("a slow tool's work was lost")),
        }
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        // A runtime must not be waited for where others run.
        if let Some(Some(runtime)) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Reserves address space for the whole pool; where that is short, less of it for each memory; where even that is too much,
/// allocates on demand.
fn with_fallback(config: &config::Plugins, target: Option<&str>) -> Result<Engine> {
    let memory = largest(config, |limits| limits.memory);
    let attempts = [
        ("pool with guard regions", "", Some(4 << 30)),
        ("pool with checked memories", "guests run slower", Some(memory as u64)),
        ("no pool", "guests run slower, and plugins.instances is not heeded", None),
    ];
    let mut last = None;
    for (name, loss, reservation) in attempts {
        let mut features = features(config, memory, reservation);
        let targeted = target.map_or(Ok(()), |target| features.target(target).map(drop));
        match targeted.and_then(|()| Engine::new(&features)) {
            Ok(engine) => {
                if last.is_some() {
                    tracing::warn!(
                        allocation = name,
                        "address space is short: {loss}; raise its limit (ulimit -v), or lower plugins.instances"
                    );
                }
                return Ok(engine);
            }
            Err(error) => {
                tracing::debug!(allocation = name, %error, "the engine could not be made so");
                last = Some(error);
            }
        }
    }
    Err(Error::internal(format!("can't make the sandbox: {}", last.map(|e| format!("{e:#}")).unwrap_or_default())))
}

fn features(config: &config::Plugins, memory: usize, reservation: Option<u64>) -> Config {
    let mut engine = Config::new();
    engine
        .wasm_component_model(true)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .wasm_relaxed_simd(false)
        .epoch_interruption(true)
        .max_wasm_stack(STACK)
        .memory_init_cow(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable);
    match reservation {
        Some(bytes) => {
            let mut pool = PoolingAllocationConfig::new();
            let per_component = |each: usize| config.instances.saturating_mul(u32::try_from(each).unwrap_or(u32::MAX));
            pool.total_component_instances(config.instances)
                .total_core_instances(per_component(4))
                .total_memories(per_component(1))
                .total_tables(per_component(4))
                .total_stacks(config.instances)
                .max_core_instances_per_component(CORE_INSTANCES as u32)
                .max_memories_per_component(MEMORIES as u32)
                .max_tables_per_component(TABLES as u32)
                .max_memory_size(memory)
                .table_elements(largest(config, |limits| limits.table_elements))
                // Keeping memory is a loss without the scan that tells which of it was touched.
                .pagemap_scan(Enabled::Auto)
                .linear_memory_keep_resident(KEEP_RESIDENT)
                .table_keep_resident(KEEP_RESIDENT)
                .max_unused_warm_slots(config.instances);
            engine.memory_reservation(bytes).allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        }
        None => {
            engine.memory_reservation(0).allocation_strategy(InstanceAllocationStrategy::OnDemand);
        }
    }
    engine
}

/// The largest that any plugin may have: a slot of the pool must hold it.
fn largest(config: &config::Plugins, limit: fn(&config::Limits) -> usize) -> usize {
    let granted = config.grants.keys().map(|id| limit(&config.limits_of(id))).max();
    limit(&config.limits).max(granted.unwrap_or_default())
}

/// Starts the thread that interrupts guests: one of its own, because the guests may hold every thread of the runtime. It ends
/// with the engine, and so never before the last guest.
fn start_ticker(engine: &Engine) -> Result<()> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::park_timeout(TICK);
        }
    };
    let started = std::thread::Builder::new().name("epoch-ticker".into()).spawn(tick);
    started.map(drop).map_err(|error| Error::internal(format!("can't start the epoch ticker: {error}")))
}
