//! What a capability can point at.

/// The kind of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are the definitions")]
pub enum Kind {
    Task = 1,
    Component = 2,
    Queue = 3,
    Region = 4,
    /// An allowance of bytes to make regions from.
    Memory = 5,
    Timer = 6,
    Log = 7,
    /// A place to mount packages under.
    Namespace = 8,
    VectorStore = 9,
    GraphStore = 10,
    Sensor = 11,
    /// An approval, used once.
    Proof = 12,
}

impl Kind {
    /// Every kind, in order of its number.
    pub const ALL: [Self; 12] = [
        Self::Task,
        Self::Component,
        Self::Queue,
        Self::Region,
        Self::Memory,
        Self::Timer,
        Self::Log,
        Self::Namespace,
        Self::VectorStore,
        Self::GraphStore,
        Self::Sensor,
        Self::Proof,
    ];

    /// Its name in manifests and in the shell.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Component => "component",
            Self::Queue => "queue",
            Self::Region => "region",
            Self::Memory => "memory",
            Self::Timer => "timer",
            Self::Log => "log",
            Self::Namespace => "namespace",
            Self::VectorStore => "vector-store",
            Self::GraphStore => "graph-store",
            Self::Sensor => "sensor",
            Self::Proof => "proof",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
