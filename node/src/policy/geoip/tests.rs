use super::*;
use std::net::Ipv4Addr;

/// The bytes of an `.mmdb` file: IPv4 networks with their data.
pub(crate) fn database(networks: &[(&str, &[u8])]) -> Vec<u8> {
    const EMPTY: u32 = u32::MAX;
    const DATA: u32 = 1 << 24;
    let (mut nodes, mut data) = (vec![[EMPTY; 2]], Vec::new());
    for (network, value) in networks {
        let (address, width) = network.split_once('/').unwrap();
        let (address, width): (Ipv4Addr, u32) = (address.parse().unwrap(), width.parse().unwrap());
        let bit = |depth: u32| usize::from(address.to_bits() >> (31 - depth) & 1 == 1);
        let mut node = 0;
        for depth in 0..width - 1 {
            if nodes[node][bit(depth)] == EMPTY {
                nodes[node][bit(depth)] = u32::try_from(nodes.len()).unwrap();
                nodes.push([EMPTY; 2]);
            }
            node = nodes[node][bit(depth)] as usize;
        }
        nodes[node][bit(width - 1)] = DATA + u32::try_from(data.len()).unwrap();
        data.extend_from_slice(value);
    }
    let count = u32::try_from(nodes.len()).unwrap();
    let record = |record: u32| match record {
        EMPTY => count,
        node if node < DATA => node,
        data => count + 16 + (data - DATA),
    };
    let mut file: Vec<u8> =
        nodes.iter().flatten().flat_map(|it| record(*it).to_be_bytes()[1..].to_vec()).collect();
    file.extend([0; 16]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    let entries = [
        ("node_count", [&[0xc4][..], &count.to_be_bytes()].concat()),
        ("record_size", vec![0xa1, 24]),
        ("ip_version", vec![0xa1, 4]),
        ("database_type", text("Test")),
        ("languages", vec![0x00, 0x04]),
        ("binary_format_major_version", vec![0xa1, 2]),
        ("binary_format_minor_version", vec![0xa0]),
        ("build_epoch", vec![0x01, 0x02, 1]),
        ("description", vec![0xe0]),
    ];
    file.extend(map(&entries));
    file
}

pub(crate) fn country(code: &str) -> Vec<u8> {
    map(&[("country", map(&[("iso_code", text(code))]))])
}

fn text(text: &str) -> Vec<u8> {
    [&[0x40 | u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let size = 0xe0 | u8::try_from(entries.len()).unwrap();
    entries.iter().fold(vec![size], |bytes, (key, value)| [bytes, text(key), value.clone()].concat())
}

fn system(number: u16) -> Vec<u8> {
    map(&[("autonomous_system_number", [&[0xc2][..], &number.to_be_bytes()].concat())])
}

const BOTH: GeoFields = GeoFields { country: true, asn: true };

fn location(geoip: &GeoIp, address: &str) -> (Option<String>, Option<u32>) {
    let Location { country, asn } = geoip.locate(address.parse().unwrap(), BOTH);
    (country, asn)
}

#[test]
fn looks_up_country_and_autonomous_system() {
    let folder = tempfile::tempdir().unwrap();
    let files = [folder.path().join("country.mmdb"), folder.path().join("asn.mmdb")];
    let registered = map(&[("registered_country", map(&[("iso_code", text("AT"))]))]);
    let countries = [("203.0.113.0/24", &country("DE")[..]), ("198.51.100.0/24", &registered)];
    fs::write(&files[0], database(&countries)).unwrap();
    fs::write(&files[1], database(&[("203.0.0.0/8", &system(64500))])).unwrap();
    let [country_file, asn_file] = files.clone().map(Some);
    let geoip = GeoIp::open(&GeoIpConfig { country_file, asn_file }).unwrap();
    let germany = Some("DE".to_owned());
    assert_eq!(location(&geoip, "203.0.113.7"), (germany.clone(), Some(64500)));
    assert_eq!(location(&geoip, "::ffff:203.0.113.7"), (germany, Some(64500)));
    assert_eq!(location(&geoip, "198.51.100.1"), (Some("AT".to_owned()), None));
    assert_eq!(location(&geoip, "192.0.2.1"), (None, None));
    assert_eq!(location(&geoip, "2001:db8::1"), (None, None), "the files contain IPv4 only");
    assert_eq!(geoip.locate("203.0.113.7".parse().unwrap(), GeoFields::default()), Location::default());
}

#[test]
fn reloads_a_changed_database_and_rejects_an_invalid_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("country.mmdb");
    let hour = SystemTime::now() - Duration::from_hours(1);
    let write = |bytes: &[u8], minutes: u64| {
        fs::write(&file, bytes).unwrap();
        let opened = fs::File::options().write(true).open(&file).unwrap();
        opened.set_modified(hour + Duration::from_mins(minutes)).unwrap();
    };
    write(&database(&[("203.0.113.0/24", &country("DE"))]), 0);
    let geoip = GeoIp::open(&GeoIpConfig { country_file: Some(file.clone()), asn_file: None }).unwrap();
    write(&database(&[("203.0.113.0/24", &country("FR"))]), 1);
    geoip.reload();
    assert_eq!(location(&geoip, "203.0.113.7").0.as_deref(), Some("FR"));
    write(b"half a file", 2);
    geoip.reload();
    assert_eq!(location(&geoip, "203.0.113.7").0.as_deref(), Some("FR"));
}

#[test]
fn an_invalid_database_is_reported_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("asn.mmdb");
    fs::write(&file, "text").unwrap();
    let config = GeoIpConfig { country_file: None, asn_file: Some(file) };
    let error = GeoIp::open(&config).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("geoip.asn_file: ") && error.contains("MaxMind"), "{error}");
}
