//! A manifest as the one text there is for it.

use alloc::string::{String, ToString};

use abi::Rights;
use witness::json::{Integer, Object, Value};

use super::{
    CapabilityEntry, FORMAT, GraphStoreEntry, Limits, Manifest, PartEntry, QueueEntry, SensorEntry,
    StandingApproval, StoreRules, TaskEntry, VectorStoreEntry, WasiEntry,
};

impl Manifest {
    /// The canonical JSON (RFC 8785) that [`Manifest::parse`] reads.
    ///
    /// Every manifest that passes [`Manifest::check`] comes back as it was.
    /// In others, an integer that JSON cannot carry becomes `null`, which no
    /// reader takes.
    pub fn to_json(&self) -> String {
        let object = Object::new()
            .with("components", list(&self.components, PartEntry::to_json))
            .with("format", integer(FORMAT))
            .with_some("graph_stores", some(&self.graph_stores, GraphStoreEntry::to_json))
            .with("limits", self.limits.to_json())
            .with("name", self.name.as_str())
            .with("queues", list(&self.queues, QueueEntry::to_json))
            .with("regions", list(&self.regions, PartEntry::to_json))
            .with("seed", Value::decimal(self.seed))
            .with_some("sensors", some(&self.sensors, SensorEntry::to_json))
            .with("standing_approvals", list(&self.standing_approvals, StandingApproval::to_json))
            .with_some("state_roots", self.state_roots.map(integer))
            .with("tasks", list(&self.tasks, TaskEntry::to_json))
            .with_some("vector_stores", some(&self.vector_stores, VectorStoreEntry::to_json))
            .with("version", integer(self.version));
        Value::Object(object).to_string()
    }
}

impl Limits {
    fn to_json(self) -> Object {
        Object::new()
            .with("fuel", Value::decimal(self.fuel))
            .with("memory", integer(self.memory))
            .with("records", Value::decimal(self.records))
            .with_some("share", (self.share != Self::DEFAULT_SHARE).then_some(self.share))
    }
}

impl PartEntry {
    fn to_json(&self) -> Object {
        Object::new()
            .with("name", self.name.as_str())
            .with("segment", integer(self.segment))
            .with("sha256", Value::hex(&self.sha256))
    }
}

impl QueueEntry {
    fn to_json(&self) -> Object {
        Object::new()
            .with_some("accepts", self.accepts)
            .with("capacity_bytes", integer(self.capacity_bytes))
            .with("name", self.name.as_str())
    }
}

impl VectorStoreEntry {
    fn to_json(&self) -> Object {
        self.rules
            .to_json()
            .with("capacity", self.capacity)
            .with("dimension", self.dimension)
            .with("metric", self.metric.name())
            .with("name", self.name.as_str())
    }
}

impl GraphStoreEntry {
    fn to_json(&self) -> Object {
        self.rules
            .to_json()
            .with("edges", self.edges)
            .with("name", self.name.as_str())
            .with("nodes", self.nodes)
    }
}

impl StoreRules {
    /// Their members, for the store's others to join.
    fn to_json(&self) -> Object {
        Object::new()
            .with("approvers", self.approvers.iter().map(|key| Value::hex(key)).collect::<Value>())
            .with_some("guard", self.guard.as_deref())
            .with("tier", self.tier.name())
    }
}

impl SensorEntry {
    fn to_json(&self) -> Object {
        Object::new().with("name", self.name.as_str())
    }
}

impl StandingApproval {
    fn to_json(&self) -> Object {
        let types: Value = self.claim_types.iter().copied().map(Value::from).collect();
        Object::new()
            .with("claim_types", types)
            .with("max_bytes", integer(self.max_bytes))
            .with("max_claims", integer(self.max_claims))
    }
}

impl TaskEntry {
    fn to_json(&self) -> Object {
        Object::new()
            .with("capabilities", list(&self.capabilities, CapabilityEntry::to_json))
            .with("component", self.component.as_str())
            .with("deadline", self.deadline.map_or(Value::Null, Value::decimal))
            .with("fuel", Value::decimal(self.fuel))
            .with("kind", self.kind.name())
            .with("memory", self.memory)
            .with("name", self.name.as_str())
            .with("priority", self.priority)
            .with_some("wasi", self.wasi.as_ref().map(WasiEntry::to_json))
    }
}

impl WasiEntry {
    fn to_json(&self) -> Object {
        let strings = |all: &[String]| {
            (!all.is_empty())
                .then(|| all.iter().map(|it| Value::from(it.as_str())).collect::<Value>())
        };
        Object::new()
            .with_some("args", strings(&self.args))
            .with_some("env", strings(&self.env))
            .with_some("stdin", self.stdin.as_deref())
    }
}

impl CapabilityEntry {
    fn to_json(&self) -> Object {
        let held = Rights::NAMED.into_iter().filter(|(right, _)| self.rights.contains(*right));
        Object::new()
            .with("kind", self.kind.name())
            .with("name", self.name.as_str())
            .with("rights", held.map(|(_, name)| Value::from(name)).collect::<Value>())
    }
}

fn list<T>(elements: &[T], to_json: fn(&T) -> Object) -> Value {
    elements.iter().map(|element| to_json(element).into()).collect()
}

/// The array, or nothing where it has no elements.
fn some<T>(elements: &[T], to_json: fn(&T) -> Object) -> Option<Value> {
    (!elements.is_empty()).then(|| list(elements, to_json))
}

/// Members that are left out where they have their default.
trait WithSome: Sized {
    fn with_some(self, key: &str, value: Option<impl Into<Value>>) -> Self;
}

impl WithSome for Object {
    fn with_some(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }
}

fn integer(value: u64) -> Value {
    let integer = i64::try_from(value).ok().and_then(Integer::new);
    integer.map_or(Value::Null, Value::from)
}
