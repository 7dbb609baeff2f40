use super::*;
use crate::{budget::Budget, point_path::PointArena, token::zip::archive};
use flate2::{
    Compression,
    write::{DeflateEncoder, ZlibEncoder},
};
use std::io::Write;

/// The texts of a file, as `point = value`.
fn texts(file: &[u8]) -> Vec<String> {
    let (mut budget, mut arena) = (Budget::for_request(), PointArena::default());
    let post = arena.then(None, Tag::Post);
    let mut sink = Sink::new(0, &mut budget, &mut arena);
    assert!(is_supported(file));
    parse(file, post, &mut sink);
    let fields = sink.fields.iter();
    fields
        .map(|it| format!("{} = {}", sink.arena.point(it.point), String::from_utf8_lossy(&it.value)))
        .collect()
}

fn chunk(kind: &str, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length, kind.as_bytes(), data, b"\0\0\0\0"].concat()
}

fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    let header = chunk("IHDR", &[0; 13]);
    [b"\x89PNG\r\n\x1a\n".as_slice(), &header, &chunks.concat(), &chunk("IEND", b"")].concat()
}

/// A little-endian TIFF of one directory: pairs of a tag and a text.
fn tiff(entries: &[(u16, &[u8])]) -> Vec<u8> {
    let count = u16::try_from(entries.len()).unwrap();
    let mut directory = count.to_le_bytes().to_vec();
    let mut data = Vec::new();
    for (tag, text) in entries {
        let offset = 8 + 2 + 12 * entries.len() + data.len();
        let numbers = [text.len(), offset].map(|it| u32::try_from(it).unwrap().to_le_bytes()).concat();
        directory.extend([&tag.to_le_bytes()[..], &2_u16.to_le_bytes(), &numbers].concat());
        data.extend_from_slice(text);
    }
    [b"II*\0\x08\0\0\0".as_slice(), &directory, &data].concat()
}

fn deflated(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// An archive whose entries are compressed.
fn office(parts: &[(&str, &str)]) -> Vec<u8> {
    let parts: Vec<(&str, Vec<u8>)> = parts.iter().map(|(name, text)| (*name, deflated(text))).collect();
    let mut archive = archive(&parts.iter().map(|(name, data)| (*name, &**data)).collect::<Vec<_>>());
    let starts: Vec<usize> = memmem::find_iter(&archive, b"PK\x03\x04").collect();
    for start in starts {
        archive[start + 8] = 8;
    }
    archive
}

#[test]
fn texts_of_png_chunks_are_values() {
    let mut encoder = ZlibEncoder::new(b"Comment\0\0".to_vec(), Compression::default());
    encoder.write_all(b"compressed").unwrap();
    let file = png(&[
        chunk("tEXt", b"Author\0<b>eve"),
        chunk("zTXt", &encoder.finish().unwrap()),
        chunk("iTXt", b"Title\0\0\0en\0\0caf\xC3\xA9"),
        chunk("tEXt", &[b"Long\0".as_slice(), &[b'x'; 5_000]].concat()),
        chunk("tEXt", b"mxfile\0%3Cmxfile%3E"),
        chunk("eXIf", &tiff(&[(0x010E, b"a picture\0")])),
    ]);
    assert_eq!(
        texts(&file),
        [
            "post > metadata:Author = <b>eve",
            "post > metadata:Comment = compressed",
            "post > metadata:Title = café",
            "post > metadata:Description = a picture"
        ]
    );
}

#[test]
fn texts_of_exif_are_values_in_every_format() {
    let exif = [b"Exif\0\0".as_slice(), &tiff(&[(0x013B, b"eve's\0"), (0x9C9B, b"T\0\"\0x\0")])].concat();
    let segment = |marker: u8, data: &[u8]| {
        let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, marker], &length[..], data].concat()
    };
    let jpeg = [b"\xFF\xD8".as_slice(), &segment(0xE1, &exif), &segment(0xFE, b"note"), b"\xFF\xDA\0\x02!!"]
        .concat();
    let expected = ["post > metadata:Artist = eve's", "post > metadata:Title = T\"x"];
    assert_eq!(texts(&jpeg), [&expected[..], &["post > metadata:Comment = note"]].concat());
    let length = u32::try_from(exif.len()).unwrap().to_le_bytes();
    let webp = [b"RIFF\0\0\0\0WEBPEXIF".as_slice(), &length, &exif].concat();
    assert_eq!(texts(&webp), expected);
    assert_eq!(texts(&exif[6..]), expected);
}

#[test]
fn comments_of_gif_and_texts_of_xmp_are_values() {
    let gif = b"GIF89a\x01\0\x01\0\0\0\0!\xFE\x05hello\x02 x\0!\xFE\x02\xFF\xFE\0;";
    assert_eq!(texts(gif), ["post > metadata:Comment = hello x"]);
    let packet =
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF><rdf:Description stRef:filePath='file:///etc/x'>\
        <dc:title><rdf:Alt><rdf:li xml:lang='x-default'>A title</rdf:li></rdf:Alt></dc:title></x:xmpmeta>";
    let file = [b"GIF89a".as_slice(), packet].concat();
    assert_eq!(texts(&file), ["post > metadata:title = A title"]);
}

#[test]
fn strings_of_the_information_dictionary_of_a_pdf_are_values() {
    let pdf = b"%PDF-1.4\n1 0 obj\n<< /Title (Not this) >>\nendobj\n12 0 obj\n\
        << /Title (a \\(b\\) \\074c\\\nd) /Author <FEFF00e9> /Producer 3 0 R >>\nendobj\n\
        trailer << /Root 1 0 R /Info 12 0 R >>\n%%EOF";
    assert_eq!(texts(pdf), ["post > metadata:Title = a (b) <cd", "post > metadata:Author = é"]);
    assert_eq!(texts(b"%PDF-1.4\n/Info 1 0"), Vec::<String>::new());
}

#[test]
fn declarations_targets_and_properties_of_office_documents_are_values() {
    let file = office(&[
        ("[Content_Types].xml", "<?xml version='1.0'?><Types/>"),
        (
            "word/document.xml",
            "<!DOCTYPE a SYSTEM 'http://a.example/x'><w:document><w:t>' or 1=1</w:t></w:document>",
        ),
        (
            "word/_rels/document.xml.rels",
            "<Relationships><Relationship Type='x/image' Target='http://a.example/1' TargetMode='External'/>\
             <Relationship Type='x/hyperlink' Target='http://a.example/2' TargetMode='External'/>\
             <Relationship Type='x/attachedTemplate' Target='file:///C:/x.dotx' TargetMode='External'/>\
             <Relationship Type='x/styles' Target='styles.xml'/></Relationships>",
        ),
        ("docProps/core.xml", "<cp:coreProperties><dc:title>A title</dc:title></cp:coreProperties>"),
    ]);
    assert_eq!(
        texts(&file),
        [
            "post > zip:word/document.xml > xml_dtd = <!DOCTYPE a SYSTEM 'http://a.example/x'>",
            "post > zip:word/_rels/document.xml.rels > xml_attr = http://a.example/1",
            "post > zip:docProps/core.xml > metadata:title = A title",
        ]
    );
}

#[test]
fn xml_in_other_archives_is_not_read() {
    assert_eq!(
        texts(&office(&[("pom.xml", "<!DOCTYPE a SYSTEM 'http://a.example/x'><a/>")])),
        Vec::<String>::new()
    );
}

#[test]
fn a_document_with_many_large_parts_takes_bounded_work() {
    let bomb = "<a/>".to_owned() + &" ".repeat(10 << 20);
    let mut parts = vec![("word/document.xml".to_owned(), bomb.clone())];
    parts.extend((0..40).map(|number| (format!("docProps/{number}.xml"), bomb.clone())));
    let parts: Vec<(&str, &str)> = parts.iter().map(|(name, text)| (&**name, &**text)).collect();
    assert_eq!(texts(&office(&parts)), Vec::<String>::new());
}

#[test]
fn truncated_files_are_read_to_their_end() {
    let file = png(&[chunk("tEXt", b"Author\0eve")]);
    for end in 8..file.len() {
        texts(&file[..end]);
    }
    let file = tiff(&[(0x010E, b"a picture\0")]);
    for end in 4..file.len() {
        texts(&file[..end]);
    }
}
