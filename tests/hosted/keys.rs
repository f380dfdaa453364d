//! Keys for tests that must not depend on those in `build/`.

use helio::keys::Store;
use tempfile::TempDir;

/// A key store of its own.
pub struct Keys {
    pub store: Store,
    _place: TempDir,
}

pub fn fresh() -> Keys {
    let place = TempDir::new().unwrap();
    let store = Store::at(place.path());
    store.init().unwrap();
    Keys { store, _place: place }
}
