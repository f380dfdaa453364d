//! Capabilities, and how they descend from one another.
//!
//! A derived capability names the node of the one it came from, and that
//! node's epoch at the time. Revoking raises the epoch: one step, however
//! much was derived. A use walks up at most
//! [`DERIVATION_DEPTH`](abi::profile::DERIVATION_DEPTH) nodes. A node lives
//! as long as something descends from it, also when the capability it stands
//! for is gone, so giving up one's own takes nothing from others.

use crate::object::ObjectId;
use crate::snapshot::saved;
use crate::snapshot::{Reader, Saved, Writer};
use abi::{Error, GrantArguments, Kind, Rights, profile::DERIVATION_DEPTH};
use alloc::{boxed::Box, vec::Vec};
use witness::Index;

/// Value of [`Capability::expiry`] for never.
pub const NEVER: u64 = u64::MAX;

/// Value of [`Capability::uses`] for any number.
pub const UNLIMITED: u32 = u32::MAX;

/// Most nodes there are at one time.
const NODES: usize = 32_768;

/// The right to do something with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// The object.
    pub object: ObjectId,
    /// Its kind.
    pub kind: Kind,
    /// What the holder may do with it.
    pub rights: Rights,
    /// Tells the object's side who uses it.
    pub badge: u64,
    /// Logical time in ns from which it is dead.
    pub expiry: u64,
    /// How many calls it is still good for: those made with it, and those that
    /// name it besides. What goes to another without a grant (passed to a new
    /// task, sent as a reference, bound in a subscription) takes all uses that
    /// are left along.
    pub uses: u32,
    /// How often it was derived, 0 for an original.
    pub depth: u8,
    /// What it was derived from; none for an original.
    pub(crate) descent: Option<Descent>,
    /// Its own node, once something was derived from it.
    pub(crate) node: Option<NodeId>,
    /// The grant that made it, until a record has named that.
    pub(crate) granted_by: Option<Index>,
}

/// Number of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(u16);

/// Where a capability comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descent {
    node: NodeId,
    /// The node's epoch at that time.
    epoch: u32,
}

/// A capability from which others were derived.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// Raised by revoking; what was derived under a lower one is dead.
    epoch: u32,
    /// How many hold on to it: its capability, and each that descends from it
    /// directly. Free if none.
    holders: u32,
    above: Option<Descent>,
    /// While it is free: the next free one.
    next_free: Option<NodeId>,
}

/// The forest of descent.
pub(crate) struct Nodes {
    nodes: Box<[Node]>,
    /// First of those that were used and are free again.
    free: Option<NodeId>,
    /// How many were ever used; those after are free too.
    used: usize,
}

impl Capability {
    /// An original: not derived, never expires, any number of uses.
    pub fn original(object: ObjectId, kind: Kind, rights: Rights) -> Self {
        Self {
            object,
            kind,
            rights,
            badge: 0,
            expiry: NEVER,
            uses: UNLIMITED,
            depth: 0,
            descent: None,
            node: None,
            granted_by: None,
        }
    }

    /// Whether it has these rights. One to grant once is one to grant: what may
    /// be passed on then is for [`Capability::lessened`] to say.
    pub(crate) fn allows(&self, rights: Rights) -> bool {
        let held = if self.rights.contains(Rights::GRANT_ONCE) {
            self.rights | Rights::GRANT
        } else {
            self.rights
        };
        held.contains(rights)
    }

    /// Uses that are left after so many more.
    pub(crate) fn uses_after(&self, uses: u32) -> u32 {
        match self.uses {
            UNLIMITED => UNLIMITED,
            counted => counted.saturating_sub(uses),
        }
    }

    /// Has fewer uses left, where they are counted.
    pub(crate) fn spend_uses(&mut self, uses: u32) {
        self.uses = self.uses_after(uses);
    }

    /// Takes all uses that are left, for what is derived from it.
    pub(crate) fn take_uses(&mut self) -> u32 {
        let uses = self.uses;
        self.spend_uses(uses);
        uses
    }

    /// What a grant makes of it, not yet derived: [`Nodes::derive`] does that.
    ///
    /// # Errors
    /// [`Error::MissingRight`] without a right to grant,
    /// [`Error::Amplification`] where more is asked for than it has,
    /// [`Error::TooDeep`], [`Error::BadArgument`] for no use at all.
    pub(crate) fn lessened(&self, terms: &GrantArguments) -> Result<Self, Error> {
        let GrantArguments { rights, badge, expiry, uses, .. } = *terms;
        let mut may_pass = self.rights;
        if !self.rights.contains(Rights::GRANT) {
            if !self.rights.contains(Rights::GRANT_ONCE) {
                return Err(Error::MissingRight);
            }
            // A right to grant once passes itself on no further.
            may_pass = may_pass.without(Rights::GRANT_ONCE);
        }
        if may_pass.contains(Rights::GRANT) {
            may_pass = may_pass | Rights::GRANT_ONCE;
        }
        if uses == 0 {
            return Err(Error::BadArgument);
        }
        // The grant is itself a use.
        let affordable = self.uses_after(1);
        let expiry = if expiry == NEVER { self.expiry } else { expiry };
        let badge = if badge == 0 { self.badge } else { badge };
        let same_badge = self.badge == 0 || self.badge == badge;
        let shrinks = may_pass.contains(rights) && expiry <= self.expiry && uses <= affordable;
        if !shrinks || !same_badge {
            return Err(Error::Amplification);
        }
        Ok(Self { rights, badge, expiry, uses, ..self.child()? })
    }

    /// What a task that it spawns gets of it: the same, less the rights to
    /// pass it on. All uses that are left go with it.
    ///
    /// # Errors
    /// [`Error::MissingRight`], [`Error::TooDeep`].
    pub(crate) fn passed_on(&self) -> Result<Self, Error> {
        if !self.rights.intersects(Rights::GRANT | Rights::GRANT_ONCE) {
            return Err(Error::MissingRight);
        }
        let rights = self.rights.without(Rights::GRANT | Rights::GRANT_ONCE);
        Ok(Self { rights, ..self.child()? })
    }

    /// The same with no more than these rights, for one that it is sent to.
    ///
    /// # Errors
    /// [`Error::TooDeep`].
    pub(crate) fn narrowed(&self, rights: Rights) -> Result<Self, Error> {
        Ok(Self { rights: self.rights.intersection(rights), ..self.child()? })
    }

    fn child(&self) -> Result<Self, Error> {
        if self.depth >= DERIVATION_DEPTH {
            return Err(Error::TooDeep);
        }
        let depth = self.depth.saturating_add(1);
        Ok(Self { depth, descent: None, node: None, granted_by: None, ..*self })
    }
}

impl Nodes {
    /// A forest without trees. All its memory is taken here.
    pub(crate) fn new() -> Self {
        Self { nodes: alloc::vec![Node::default(); NODES].into(), free: None, used: 0 }
    }

    /// Makes `child` descend from `parent`.
    ///
    /// # Errors
    /// [`Error::TableFull`]; nothing has changed then.
    pub(crate) fn derive(
        &mut self,
        parent: &mut Capability,
        child: Capability,
    ) -> Result<Capability, Error> {
        let node = match parent.node {
            Some(node) => node,
            None => {
                let node = self.take(parent.descent).ok_or(Error::TableFull)?;
                parent.node = Some(node);
                node
            }
        };
        let epoch = self.hold(node).ok_or(Error::TableFull)?;
        Ok(Capability { descent: Some(Descent { node, epoch }), ..child })
    }

    /// Whether something can be derived from each of these.
    pub(crate) fn can_derive<'a>(&self, parents: impl Iterator<Item = &'a Capability>) -> bool {
        let mut free = self.free;
        let mut unused = self.nodes.len().saturating_sub(self.used);
        for parent in parents {
            let epoch = parent.node.and_then(|node| self.get(node)).map(|node| node.epoch);
            match epoch {
                Some(u32::MAX) => return false,
                Some(_) => {}
                None if unused > 0 => unused = unused.saturating_sub(1),
                None => match free.and_then(|node| self.get(node)) {
                    Some(node) => free = node.next_free,
                    None => return false,
                },
            }
        }
        true
    }

    /// Kills everything that descends from a capability.
    pub(crate) fn revoke(&mut self, capability: &Capability) {
        if let Some(node) = capability.node.and_then(|node| self.get_mut(node)) {
            // The last epoch is never left: at one revocation a microsecond it
            // is an hour away, and then revoking has no effect on what is
            // derived after it, which `derive` refuses.
            node.epoch = node.epoch.saturating_add(1);
        }
    }

    /// Whether every ancestor is unrevoked.
    pub(crate) fn is_alive(&self, capability: &Capability) -> bool {
        let mut descent = capability.descent;
        for _ in 0..=DERIVATION_DEPTH {
            let Some(Descent { node, epoch }) = descent else { return true };
            match self.get(node) {
                Some(node) if node.epoch == epoch => descent = node.above,
                _ => return false,
            }
        }
        false
    }

    /// Lets go of what a capability that is no more held on to.
    pub(crate) fn release(&mut self, capability: &Capability) {
        if let Some(node) = capability.node {
            self.let_go(node);
        }
        if let Some(descent) = capability.descent {
            self.let_go(descent.node);
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.nodes.iter().take(self.used).filter(|node| node.holders > 0).count()
    }

    fn take(&mut self, above: Option<Descent>) -> Option<NodeId> {
        let id = match self.free {
            Some(id) => id,
            None => NodeId(u16::try_from(self.used).ok()?),
        };
        let node = *self.get(id)?;
        if self.free.is_some() {
            self.free = node.next_free;
        } else {
            self.used = self.used.saturating_add(1);
        }
        if let Some(above) = above {
            self.hold(above.node);
        }
        let node = self.get_mut(id)?;
        // The epoch goes on from where it was: what named the slot's last
        // tenant must not name this one.
        *node = Node { epoch: node.epoch.saturating_add(1), holders: 1, above, next_free: None };
        Some(id)
    }

    /// Counts one more holder. Gives the epoch, unless it is the last.
    fn hold(&mut self, id: NodeId) -> Option<u32> {
        let node = self.get_mut(id)?;
        if node.epoch == u32::MAX {
            return None;
        }
        node.holders = node.holders.saturating_add(1);
        Some(node.epoch)
    }

    /// One holder less. Nodes that nobody holds are free, and let go of the
    /// ones above them in turn.
    fn let_go(&mut self, id: NodeId) {
        let mut next = Some(id);
        for _ in 0..=DERIVATION_DEPTH {
            let Some(id) = next else { return };
            let free = self.free;
            let Some(node) = self.get_mut(id) else { return };
            node.holders = node.holders.saturating_sub(1);
            if node.holders > 0 {
                return;
            }
            next = node.above.take().map(|above| above.node);
            // The last epoch is never used: a node that has come to it stays
            // out of use.
            if node.epoch < u32::MAX - 1 {
                node.next_free = free;
                self.free = Some(id);
            }
        }
    }

    fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(usize::from(id.0))
    }

    fn get_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(usize::from(id.0))
    }
}

saved!(struct Capability {
    object, kind, rights, badge, expiry, uses, depth, descent, node, granted_by,
});
saved!(struct Descent { node, epoch });
saved!(struct Node { epoch, holders, above, next_free });

saved!(new NodeId);

/// Those that were ever used.
impl Saved for Nodes {
    fn save(&self, to: &mut Writer<'_>) {
        to.list(self.nodes.get(..self.used).unwrap_or_default());
        self.free.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        let mut nodes = Vec::<Node>::load(from)?;
        let used = nodes.len();
        let free = Saved::load(from)?;
        if used > NODES {
            return None;
        }
        nodes.resize(NODES, Node::default());
        Some(Self { nodes: nodes.into(), free, used })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::Handle;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn some(rights: Rights) -> Capability {
        Capability::original(ObjectId(3), Kind::Queue, rights)
    }

    fn terms(rights: Rights) -> GrantArguments {
        GrantArguments { to: Handle(0), rights, badge: 0, expiry: NEVER, uses: UNLIMITED }
    }

    /// A capability, its ancestors as (index, revocations seen), and how often
    /// it was revoked.
    type Grown = (Option<Capability>, Vec<(usize, u32)>, u32);

    #[test]
    fn a_right_to_grant_once_passes_itself_on_no_further() {
        let once = some(Rights::READ | Rights::GRANT_ONCE);
        for more in [Rights::GRANT, Rights::GRANT_ONCE] {
            assert_eq!(once.lessened(&terms(Rights::READ | more)), Err(Error::Amplification));
        }
        let end = once.lessened(&terms(Rights::READ)).unwrap();
        assert_eq!(end.lessened(&terms(Rights::READ)), Err(Error::MissingRight));
        let full = some(Rights::READ | Rights::GRANT);
        assert!(full.lessened(&terms(Rights::READ | Rights::GRANT_ONCE)).is_ok());
    }

    #[test]
    fn a_node_whose_epochs_are_used_up_is_retired() {
        let mut nodes = Nodes::new();
        let grant = |nodes: &mut Nodes| {
            let mut giver = some(Rights::GRANT);
            let child = giver.lessened(&terms(Rights::GRANT)).unwrap();
            (nodes.derive(&mut giver, child), giver)
        };
        let (child, giver) = grant(&mut nodes);
        nodes.nodes[0].epoch = u32::MAX;
        nodes.release(&child.unwrap());
        nodes.release(&giver);
        let (child, giver) = grant(&mut nodes);
        assert!(nodes.is_alive(&child.unwrap()));
        assert_eq!(giver.node, Some(NodeId(1)));
    }

    #[test]
    fn a_full_forest_says_so_before() {
        let mut nodes = Nodes::new();
        let mut grant = |giver: &mut Capability| {
            let child = giver.lessened(&terms(Rights::GRANT)).unwrap();
            nodes.derive(giver, child)
        };
        let mut held = some(Rights::GRANT);
        let last = grant(&mut held).unwrap();
        for _ in 2..NODES {
            grant(&mut some(Rights::GRANT)).unwrap();
        }
        let new = some(Rights::GRANT);
        assert!(nodes.can_derive([&held, &new, &held].into_iter()));
        assert!(!nodes.can_derive([&held, &new, &new].into_iter()));
        // What lets go of its node makes room, and only what has one has some
        // more derived.
        nodes.release(&last);
        nodes.release(&held);
        assert!(nodes.can_derive([&new, &new].into_iter()));
        assert!(!nodes.can_derive([&new, &new, &new].into_iter()));
    }

    #[test]
    fn a_badge_once_set_stays() {
        let badged = Capability { badge: 7, ..some(Rights::GRANT) };
        let other = GrantArguments { badge: 8, ..terms(Rights::NONE) };
        assert_eq!(badged.lessened(&other), Err(Error::Amplification));
        assert_eq!(badged.lessened(&terms(Rights::NONE)).unwrap().badge, 7);
    }

    #[test]
    fn passing_on_needs_the_right_and_ends_with_it() {
        let passed = some(Rights::WRITE | Rights::GRANT).passed_on().unwrap();
        assert_eq!((passed.rights, passed.depth), (Rights::WRITE, 1));
        assert_eq!(passed.passed_on(), Err(Error::MissingRight));
        let deep = Capability { depth: DERIVATION_DEPTH, ..some(Rights::GRANT) };
        assert_eq!(deep.passed_on(), Err(Error::TooDeep));
    }

    proptest! {
        /// A grant never gives what the giver has not.
        #[test]
        fn derived_ones_only_shrink(
            held: u8, asked: u8, own_expiry: u64, expiry: u64, own_uses in 1u32.., uses: u32, own_badge in 0u64..3, badge in 0u64..3,
        ) {
            let giver = Capability {
                expiry: own_expiry, uses: own_uses, badge: own_badge, ..some(Rights::from_bits(held))
            };
            let asked = GrantArguments {
                to: Handle(0), rights: Rights::from_bits(asked), badge, expiry, uses,
            };
            if let Ok(child) = giver.lessened(&asked) {
                let grants = Rights::GRANT | Rights::GRANT_ONCE;
                prop_assert!(giver.rights.contains(child.rights.without(grants)));
                prop_assert!(!child.rights.contains(Rights::GRANT) || giver.rights.contains(Rights::GRANT));
                prop_assert!(child.expiry <= giver.expiry);
                prop_assert!(child.uses <= giver.uses);
                prop_assert!(own_badge == 0 || child.badge == own_badge);
                prop_assert_eq!(child.depth, 1);
            }
        }

        /// Against a forest of plain lists: alive is who has no revoked ancestor.
        #[test]
        fn revoking_kills_what_was_derived_and_nothing_else(steps in proptest::collection::vec(any::<(u8, u8)>(), 0..200)) {
            let mut nodes = Nodes::new();
            let mut all: Vec<Grown> = std::vec![(Some(some(Rights::GRANT)), Vec::new(), 0)];
            for (action, which) in steps {
                let at = usize::from(which) % all.len();
                let (Some(mut capability), ancestors, revocations) = all[at].clone() else { continue };
                match action % 4 {
                    0 | 1 => {
                        let Ok(child) = capability.lessened(&terms(Rights::GRANT)) else {
                            prop_assert_eq!(capability.depth, DERIVATION_DEPTH);
                            continue;
                        };
                        let child = nodes.derive(&mut capability, child).unwrap();
                        all[at].0 = Some(capability);
                        let mut line = ancestors;
                        line.push((at, revocations));
                        all.push((Some(child), line, 0));
                    }
                    2 => {
                        nodes.revoke(&capability);
                        all[at].2 += 1;
                    }
                    _ if at > 0 => {
                        nodes.release(&capability);
                        all[at].0 = None;
                    }
                    _ => {}
                }
                for (capability, line, _) in &all {
                    let Some(capability) = capability else { continue };
                    let lives = line.iter().all(|&(up, seen)| all[up].2 == seen);
                    prop_assert_eq!(nodes.is_alive(capability), lives);
                }
            }
            for (capability, ..) in all.iter().rev() {
                if let Some(capability) = capability {
                    nodes.release(capability);
                }
            }
            prop_assert!(nodes.nodes.iter().all(|node| node.holders == 0));
        }
    }
}
