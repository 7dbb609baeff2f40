//! Pages of a column. The crate reads them as if they were not compressed, and they are decompressed
//! here: its own codecs have no limit.

use super::{MAX_HELD_BYTES, MAX_PAGE_BYTES, ParquetLogError, contained};
use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use parquet::{
    basic::CompressionCodec,
    column::page::{Page, PageMetadata, PageReader},
    errors::{ParquetError, Result},
    file::{
        metadata::ColumnChunkMetaData,
        reader::{ChunkReader, Length},
        serialized_reader::SerializedPageReader,
    },
};
use std::{
    io::Read as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

pub(super) struct Pages<R: ChunkReader> {
    reader: SerializedPageReader<Limited<R>>,
    codec: Codec,
    held: Arc<AtomicUsize>,
}

#[derive(Clone, Copy)]
enum Codec {
    None,
    Snappy,
    Gzip,
}

impl<R: ChunkReader + 'static> Pages<R> {
    pub(super) fn open(
        file: &Arc<R>,
        chunk: &ColumnChunkMetaData,
        group: usize,
        held: Arc<AtomicUsize>,
    ) -> std::result::Result<Self, ParquetLogError> {
        let column = || chunk.column_descr().name().to_owned();
        let codec = match chunk.compression_codec() {
            CompressionCodec::UNCOMPRESSED => Codec::None,
            CompressionCodec::SNAPPY => Codec::Snappy,
            CompressionCodec::GZIP => Codec::Gzip,
            codec => return Err(ParquetLogError::Codec { column: column(), codec }),
        };
        let open = || {
            let positions = [
                chunk.compressed_size(),
                chunk.data_page_offset(),
                chunk.dictionary_page_offset().unwrap_or(0),
            ];
            if positions.iter().any(|position| *position < 0) {
                return Err(ParquetError::General("has a negative position".to_owned()));
            }
            let chunk =
                chunk.clone().into_builder().set_compression_codec(CompressionCodec::UNCOMPRESSED).build()?;
            SerializedPageReader::new(Arc::new(Limited(file.clone())), &chunk, 0, None)
        };
        let reader =
            contained(open).map_err(|cause| ParquetLogError::Column { group, column: column(), cause })?;
        Ok(Self { reader, codec, held })
    }
}

impl<R: ChunkReader> Pages<R> {
    fn decompress(&self, page: Page) -> Result<Page> {
        Ok(match page {
            Page::DataPage {
                buf,
                num_values,
                encoding,
                def_level_encoding,
                rep_level_encoding,
                statistics,
            } => Page::DataPage {
                buf: self.hold(self.codec.decompress(buf)?)?,
                num_values,
                encoding,
                def_level_encoding,
                rep_level_encoding,
                statistics,
            },
            Page::DataPageV2 {
                buf,
                num_values,
                encoding,
                num_nulls,
                num_rows,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed,
                statistics,
            } => {
                let levels = def_levels_byte_len as usize + rep_levels_byte_len as usize;
                if levels > buf.len() {
                    return Err(ParquetError::EOF("a page ends before its levels do".to_owned()));
                }
                // The levels are never compressed; an empty rest is not, either.
                let buf = if is_compressed && levels < buf.len() {
                    let values = self.codec.decompress(buf.slice(levels..))?;
                    if levels == 0 { values } else { Bytes::from([&buf[..levels], &values[..]].concat()) }
                } else {
                    buf
                };
                Page::DataPageV2 {
                    buf: self.hold(buf)?,
                    num_values,
                    encoding,
                    num_nulls,
                    num_rows,
                    def_levels_byte_len,
                    rep_levels_byte_len,
                    is_compressed: false,
                    statistics,
                }
            }
            Page::DictionaryPage { buf, num_values, encoding, is_sorted } => {
                /// The smallest value: an `i32`, `f32`, or the length of a text.
                const MIN_VALUE_BYTES: usize = 4;

                let buf = self.hold(self.codec.decompress(buf)?)?;
                if num_values as usize > buf.len() / MIN_VALUE_BYTES {
                    return Err(ParquetError::EOF("a dictionary ends before its values do".to_owned()));
                }
                Page::DictionaryPage { buf, num_values, encoding, is_sorted }
            }
        })
    }

    /// Counts the bytes until nothing refers to them.
    fn hold(&self, bytes: Bytes) -> Result<Bytes> {
        let added = bytes.len();
        let before = self.held.fetch_add(added, Ordering::Relaxed);
        let held = Held { bytes, total: self.held.clone() };
        if before + added > MAX_HELD_BYTES {
            let cause = format!("its page and those of other columns have more than {MAX_HELD_BYTES} bytes");
            return Err(ParquetError::General(cause));
        }
        Ok(Bytes::from_owner(held))
    }
}

impl<R: ChunkReader> Iterator for Pages<R> {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl<R: ChunkReader> PageReader for Pages<R> {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.reader.get_next_page()?;
        page.map(|page| self.decompress(page)).transpose()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.reader.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.reader.skip_next_page()
    }
}

impl Codec {
    fn decompress(self, bytes: Bytes) -> Result<Bytes> {
        match self {
            Self::None => Ok(bytes),
            Self::Snappy => {
                let invalid = |cause: snap::Error| ParquetError::General(cause.to_string());
                check_page(snap::raw::decompress_len(&bytes).map_err(invalid)?)?;
                let decompressed = snap::raw::Decoder::new().decompress_vec(&bytes);
                decompressed.map(Bytes::from).map_err(invalid)
            }
            Self::Gzip => {
                let mut decompressed = Vec::new();
                let mut limited = MultiGzDecoder::new(&*bytes).take(MAX_PAGE_BYTES as u64 + 1);
                limited.read_to_end(&mut decompressed)?;
                check_page(decompressed.len())?;
                Ok(decompressed.into())
            }
        }
    }
}

fn check_page(bytes: usize) -> Result<()> {
    if bytes > MAX_PAGE_BYTES {
        return Err(ParquetError::General(format!("a page has more than {MAX_PAGE_BYTES} bytes")));
    }
    Ok(())
}

/// The bytes of a page in use.
struct Held {
    bytes: Bytes,
    total: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

/// A file whose pages are refused, instead of read, when they are too long.
struct Limited<R>(Arc<R>);

impl<R: ChunkReader> Length for Limited<R> {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl<R: ChunkReader> ChunkReader for Limited<R> {
    type T = R::T;

    fn get_read(&self, start: u64) -> Result<R::T> {
        self.0.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        check_page(length)?;
        self.0.get_bytes(start, length)
    }
}
