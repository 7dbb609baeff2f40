//! AWS's managed policies, by their ids, so that a saved distribution needs no further file for them. Those not listed
//! here are asked for.

use super::forwarding::{Forwarded, Part};

const CORS: [&str; 3] = ["Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method"];

pub(super) fn cache_policy(id: &str) -> Option<Forwarded> {
    let none = || Part::only(&[]);
    Some(match id {
        // CachingDisabled
        "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" => Forwarded::new(false, none(), none(), none()),
        // CachingOptimized, CachingOptimizedForUncompressedObjects
        "658327ea-f89d-4fab-a63d-7e88639e58f6" | "b2884449-e4de-46a7-ac36-70bc7f1ddd6d" => {
            Forwarded::new(true, none(), none(), none())
        }
        // UseOriginCacheControlHeaders
        "83da9c7e-98b4-4e11-a168-04f0df8e2c65" => {
            Forwarded::new(true, none(), origin_controlled(), Part::All)
        }
        // UseOriginCacheControlHeaders-QueryStrings
        "4cc15a8a-d715-48a4-82b8-cc0b614638fe" => {
            Forwarded::new(true, Part::All, origin_controlled(), Part::All)
        }
        _ => return None,
    })
}

pub(super) fn origin_request_policy(id: &str) -> Option<Forwarded> {
    let none = || Part::only(&[]);
    Some(match id {
        // AllViewer, AllViewerAndCloudFrontHeaders-2022-06
        "216adef6-5c7f-47e4-b989-5492eafa07d3" | "33f36d7e-f396-46d9-90e0-52428a34d9dc" => {
            Forwarded::new(true, Part::All, Part::All, Part::All)
        }
        // AllViewerExceptHostHeader
        "b689b0a8-53d0-40ab-baf2-68738e2966ac" => {
            Forwarded::new(true, Part::All, Part::AllBut(vec!["Host".to_owned()]), Part::All)
        }
        // CORS-CustomOrigin
        "59781a5b-3903-41f3-afcb-af62929ccde1" => {
            Forwarded::new(true, none(), Part::only(&["Origin"]), none())
        }
        // CORS-S3Origin
        "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf" => Forwarded::new(true, none(), Part::only(&CORS), none()),
        // HostHeaderOnly
        "bf0718e1-ba1e-49d1-88b1-f726733018ae" => Forwarded::new(true, none(), Part::only(&["Host"]), none()),
        // UserAgentRefererHeaders
        "acba4595-bd28-49b8-b9fe-13317c0390fa" => {
            Forwarded::new(true, none(), Part::only(&["User-Agent", "Referer"]), none())
        }
        _ => return None,
    })
}

fn origin_controlled() -> Part {
    Part::only(&["Host", "Origin", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
}
