//! A package: who signed it, and how easily its stores change.

use std::path::Path;

use package::Package;
use package::manifest::{Manifest, StoreRules, Tier};
use witness::trust::NamedKey;
use witness::{Hasher, Trust};

use super::{Findings, Severity};
use crate::pack::inspect::{Signature, inspect};

/// Looks at a package, in the light of a trust file if there is one.
pub(super) fn look(place: &str, bytes: &[u8], trust: Option<&Trust>, findings: &mut Findings) {
    let sign = "sign it with an operator's key that the trust file lists (helio pack --key)";
    let inspection = match inspect(Path::new(place), bytes, trust) {
        Ok(inspection) => inspection,
        Err(error) => {
            findings.add(
                Severity::High,
                "bad-package",
                place,
                format!("no machine takes it: {}", error.reason()),
                error.advice(),
            );
            return;
        }
    };
    match &inspection.signature {
        Signature::Unsigned => findings.add(
            Severity::High,
            "unsigned-package",
            place,
            "nobody signed it: no machine takes it",
            sign,
        ),
        Signature::Holds { key } => findings.add(
            Severity::Info,
            "signer-not-checked",
            place,
            format!("it is signed by {key}, and no trust file says whose key that is"),
            "give --keys the folder with the trust file",
        ),
        Signature::Trusted { .. } => {}
        Signature::Untrusted { key, revoked } => findings.add(
            Severity::High,
            "untrusted-package",
            place,
            match revoked {
                true => format!("it is signed by {key}, which the trust file revokes"),
                false => format!("it is signed by {key}, which the trust file does not list"),
            },
            sign,
        ),
    }
    let Some(manifest) = manifest(bytes) else { return };
    let least = trust.map_or(0, |trust| trust.minimum_version(&manifest.name));
    if manifest.version < least {
        findings.add(
            Severity::High,
            "old-package",
            place,
            format!(
                "version {} is below {least}, the least that the trust file takes",
                manifest.version
            ),
            "give a newer version",
        );
    }
    stores(place, &manifest, findings);
}

/// The manifest of a signed package, whoever signed it.
pub(super) fn manifest(bytes: &[u8]) -> Option<Manifest> {
    let seal = package::Seal::read(bytes).ok()?;
    let trust = Trust {
        operators: vec![NamedKey { key: seal.key, name: "signer".into() }],
        ..Trust::default()
    };
    Package::open(bytes, &trust, Hasher::SOFTWARE).ok()?.manifest().cloned()
}

fn stores(place: &str, manifest: &Manifest, findings: &mut Findings) {
    let vectors = manifest.vector_stores.iter().map(|store| (&store.name, &store.rules));
    let graphs = manifest.graph_stores.iter().map(|store| (&store.name, &store.rules));
    for (name, StoreRules { tier, .. }) in vectors.chain(graphs) {
        if *tier == Tier::Reflex {
            findings.add(
                Severity::Low,
                "reflex-store",
                format_args!("{place}: store {name}"),
                "a task with the right to prove approves its changes; nobody outside does",
                "give it tier standard with approvers, or deep with a guard, if its content matters",
            );
        }
    }
}
