//! Bytes to a medium, and back.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use rustix::fs::{Advice, fadvise};

/// Bytes that are written or read at once.
const BLOCK: usize = 1 << 20;

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The image is written.
    Write,
    /// It is read back and compared.
    Compare,
}

/// Writes the image to the medium's beginning. The first block, which has the
/// partition table, goes last, and zeros are in its place until then: a medium
/// that was pulled out halfway does not look like one to boot from.
///
/// # Errors
/// The medium's.
pub fn write(
    medium: &mut (impl Write + Seek),
    image: &[u8],
    progress: &mut dyn FnMut(u64),
) -> io::Result<()> {
    let (first, rest) = image.split_at(image.len().min(BLOCK));
    medium.seek(SeekFrom::Start(0))?;
    medium.write_all(&vec![0; first.len()])?;
    medium.flush()?;
    let mut done = 0;
    for block in rest.chunks(BLOCK) {
        medium.write_all(block)?;
        done += block.len() as u64;
        progress(done);
    }
    medium.seek(SeekFrom::Start(0))?;
    medium.write_all(first)?;
    progress(image.len() as u64);
    medium.flush()
}

/// Where the medium's beginning first differs from the image; none if it does
/// not.
///
/// # Errors
/// The medium's. One that ends early differs there.
pub fn compare(
    medium: &mut (impl Read + Seek),
    image: &[u8],
    progress: &mut dyn FnMut(u64),
) -> io::Result<Option<u64>> {
    medium.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; BLOCK];
    let mut done = 0;
    for block in image.chunks(BLOCK) {
        let got = read_up_to(medium, &mut buffer, block.len())?;
        let same = block.iter().zip(&buffer[..got]).take_while(|(a, b)| a == b).count();
        if same < block.len() {
            return Ok(Some(done + same as u64));
        }
        done += block.len() as u64;
        progress(done);
    }
    Ok(None)
}

fn read_up_to(medium: &mut impl Read, buffer: &mut [u8], most: usize) -> io::Result<usize> {
    let mut got = 0;
    while got < most {
        match medium.read(&mut buffer[got..most]) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// Makes the system read the medium itself, not what it remembers of it.
///
/// # Errors
/// What was written cannot be brought to the medium.
pub fn forget(medium: &File) -> io::Result<()> {
    medium.sync_all()?;
    Ok(fadvise(medium, 0, None, Advice::DontNeed)?)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A medium that breaks after so many bytes were written.
    struct Fragile {
        bytes: Cursor<Vec<u8>>,
        left: usize,
    }

    impl Write for Fragile {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.left == 0 {
                return Err(io::Error::other("pulled out"));
            }
            let count = bytes.len().min(self.left);
            self.left -= count;
            self.bytes.write(&bytes[..count])
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Fragile {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.bytes.seek(to)
        }
    }

    fn image() -> Vec<u8> {
        (0..3 * BLOCK + 77).map(|at| (at % 251) as u8 + 1).collect()
    }

    #[test]
    fn what_was_written_compares_equal_and_the_rest_of_the_medium_stays() {
        let image = image();
        let mut medium = Cursor::new(vec![0xEE; image.len() + 10]);
        let mut last = 0;
        write(&mut medium, &image, &mut |bytes| last = bytes).unwrap();
        assert_eq!(last, image.len() as u64);
        assert_eq!(compare(&mut medium, &image, &mut |_| {}).unwrap(), None);
        assert!(medium.get_ref()[image.len()..].iter().all(|&byte| byte == 0xEE));
    }

    #[test]
    fn a_bit_that_did_not_stay_and_an_end_that_came_early_are_found() {
        let image = image();
        for at in [0, BLOCK - 1, BLOCK, image.len() - 1] {
            let mut bytes = image.clone();
            bytes[at] ^= 1;
            let found = compare(&mut Cursor::new(bytes), &image, &mut |_| {}).unwrap();
            assert_eq!(found, Some(at as u64));
            let short = image[..at].to_vec();
            let found = compare(&mut Cursor::new(short), &image, &mut |_| {}).unwrap();
            assert_eq!(found, Some(at as u64));
        }
    }

    #[test]
    fn a_medium_that_was_pulled_out_has_no_partition_table() {
        let image = image();
        for left in [BLOCK, 2 * BLOCK, image.len(), image.len() + 100] {
            let bytes = Cursor::new(vec![0xEE; image.len()]);
            let mut medium = Fragile { bytes, left };
            write(&mut medium, &image, &mut |_| {}).unwrap_err();
            let bytes = medium.bytes.into_inner();
            assert!(bytes[510..512] == [0, 0] || left > image.len(), "{left}");
        }
    }
}
