//! The files of the partition the loader was started from.

use alloc::string::String;
use alloc::vec::Vec;

use boot_uefi::paths;
use boot_uefi::refusal::Refusal;
use uefi::proto::device_path::{DevicePath, DeviceSubType, DeviceType};
use uefi::proto::loaded_image::LoadedImage;
use uefi::proto::media::file::{Directory, File, FileAttribute, FileInfo, FileMode};
use uefi::{CString16, Error, Status, boot};

use super::pages::Pages;

/// Largest file that is read, in bytes.
const SIZE_MAX: u64 = 1 << 30;

/// All files, read whole.
#[derive(Debug)]
pub struct BootFiles {
    /// The kernel.
    pub kernel: Pages,
    /// Its signature.
    pub kernel_signature: Pages,
    /// The package.
    pub package: Pages,
    /// The trust file.
    pub trust: Pages,
    /// The device's private key.
    pub device_key: Pages,
    /// A further package, if there is one. The kernel checks it when it is
    /// mounted.
    pub more: Option<Pages>,
    /// Words for the command line, if there are any.
    pub command_line: Option<Pages>,
    /// The loader itself, if firmware says which file it came from.
    pub loader: Option<Pages>,
}

/// Reads them.
pub fn read() -> Result<BootFiles, Refusal> {
    let unable = |error: Error| Refusal::Firmware("open the boot partition", error.status().0);
    let mut system = boot::get_image_file_system(boot::image_handle()).map_err(unable)?;
    let mut root = system.open_volume().map_err(unable)?;
    let mut required = |path| read_file(&mut root, path)?.ok_or(Refusal::Missing(path));
    Ok(BootFiles {
        kernel: required(paths::KERNEL)?,
        kernel_signature: required(paths::KERNEL_SIGNATURE)?,
        trust: required(paths::TRUST)?,
        package: required(paths::PACKAGE)?,
        device_key: required(paths::DEVICE_KEY)?,
        more: read_file(&mut root, paths::MORE)?,
        command_line: read_file(&mut root, paths::COMMAND_LINE)?,
        loader: own_path().and_then(|path| read_path(&mut root, &path).ok().flatten()),
    })
}

fn read_file(root: &mut Directory, path: &'static str) -> Result<Option<Pages>, Refusal> {
    let name = CString16::try_from(path.replace('/', "\\").as_str());
    let name = name.map_err(|_| Refusal::Missing(path))?;
    read_path(root, &name).map_err(|status| Refusal::Unreadable(path, status.0))
}

/// A file as a whole; `None` if it is not there.
fn read_path(root: &mut Directory, path: &CString16) -> Result<Option<Pages>, Status> {
    let status = |error: Error| error.status();
    let handle = match root.open(path, FileMode::Read, FileAttribute::empty()) {
        Err(error) if error.status() == Status::NOT_FOUND => return Ok(None),
        other => other.map_err(status)?,
    };
    let mut file = handle.into_regular_file().ok_or(Status::NOT_FOUND)?;
    let size = file.get_boxed_info::<FileInfo>().map_err(status)?.file_size();
    let size = usize::try_from(size.min(SIZE_MAX + 1)).map_err(|_| Status::BAD_BUFFER_SIZE)?;
    if size as u64 > SIZE_MAX {
        return Err(Status::BAD_BUFFER_SIZE);
    }
    let mut pages = Pages::new(size).map_err(|_| Status::OUT_OF_RESOURCES)?;
    let count = file.read(pages.bytes_mut()).map_err(status)?;
    // A file that is shorter than its directory says is damaged.
    if count == size { Ok(Some(pages)) } else { Err(Status::END_OF_FILE) }
}

/// Path of the file that firmware loaded this program from.
fn own_path() -> Option<CString16> {
    let image = boot::open_protocol_exclusive::<LoadedImage>(boot::image_handle()).ok()?;
    file_path(image.file_path()?)
}

/// The path in a device path: its nodes hold parts of it.
fn file_path(path: &DevicePath) -> Option<CString16> {
    let mut whole = String::new();
    for node in path.node_iter() {
        if node.full_type() != (DeviceType::MEDIA, DeviceSubType::MEDIA_FILE_PATH) {
            continue;
        }
        let (units, _) = node.data().as_chunks();
        let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
        let part = String::from_utf16(units.split(|unit| *unit == 0).next()?).ok()?;
        if !whole.ends_with('\\') && !part.starts_with('\\') {
            whole.push('\\');
        }
        whole.push_str(&part);
    }
    CString16::try_from(whole.as_str()).ok().filter(|_| !whole.is_empty())
}
