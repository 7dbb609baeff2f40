//! Documents of AWS's tools about access logs.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// All documents about access logs.
#[derive(Debug, Default)]
pub(super) struct LogDocuments {
    /// Each `None` without its document.
    sources: Option<Vec<Source>>,
    deliveries: Option<Vec<Delivery>>,
    destinations: Vec<Destination>,
    pub(super) streams: Vec<Stream>,
    pub(super) real_time_configs: Vec<RealTimeConfig>,
}

/// A document that does not match the format that AWS prints, with its name.
pub(super) type WrongForm = (&'static str, serde_json::Error);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    name: String,
    #[serde(default)]
    resource_arns: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Delivery {
    pub(super) id: String,
    #[serde(rename = "deliverySourceName")]
    source: String,
    #[serde(rename = "deliveryDestinationArn")]
    destination_arn: String,
    /// `FH`, `S3`, `CWL` …
    #[serde(rename = "deliveryDestinationType")]
    pub(super) destination_type: String,
    #[serde(rename = "recordFields", default)]
    pub(super) record_fields: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Destination {
    arn: String,
    pub(super) output_format: Option<String>,
    delivery_destination_configuration: DestinationConfig,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DestinationConfig {
    destination_resource_arn: String,
}

impl Destination {
    /// The stream, bucket or log group.
    pub(super) fn resource_arn(&self) -> &str {
        &self.delivery_destination_configuration.destination_resource_arn
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Stream {
    #[serde(rename = "DeliveryStreamARN")]
    pub(super) delivery_stream_arn: String,
    #[serde(rename = "Destinations", default)]
    destinations: Vec<StreamDestination>,
}

impl Stream {
    pub(super) fn endpoint(&self) -> Option<&HttpEndpoint> {
        self.destinations.iter().find_map(|it| it.http_endpoint_destination_description.as_ref())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamDestination {
    http_endpoint_destination_description: Option<HttpEndpoint>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HttpEndpoint {
    pub(super) endpoint_configuration: EndpointConfig,
    #[serde(default)]
    pub(super) buffering_hints: BufferingHints,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EndpointConfig {
    pub(super) url: String,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct BufferingHints {
    #[serde(rename = "SizeInMBs")]
    pub(super) size_in_mbs: u64,
}

impl Default for BufferingHints {
    /// Firehose's default.
    fn default() -> Self {
        Self { size_in_mbs: 5 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RealTimeConfig {
    #[serde(rename = "ARN")]
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) sampling_rate: u64,
    pub(super) fields: Vec<String>,
    #[serde(default)]
    end_points: Vec<EndPoint>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EndPoint {
    kinesis_stream_config: KinesisStreamConfig,
}

#[derive(Debug, Deserialize)]
struct KinesisStreamConfig {
    #[serde(rename = "StreamARN")]
    stream_arn: String,
}

impl RealTimeConfig {
    pub(super) fn streams(&self) -> impl Iterator<Item = &str> {
        self.end_points.iter().map(|it| it.kinesis_stream_config.stream_arn.as_str())
    }
}

impl LogDocuments {
    /// Adds a document. `None`: it is none about access logs.
    pub(super) fn add(&mut self, json: &mut Value) -> Option<Result<(), WrongForm>> {
        let mut inner = |name: &str| json.get_mut(name).map(Value::take);
        Some(if let Some(sources) = inner("deliverySources") {
            parse(sources, "the delivery sources")
                .map(|more: Vec<_>| self.sources.get_or_insert_default().extend(more))
        } else if let Some(deliveries) = inner("deliveries") {
            parse(deliveries, "the deliveries")
                .map(|more: Vec<_>| self.deliveries.get_or_insert_default().extend(more))
        } else if let Some(destinations) = inner("deliveryDestinations") {
            parse(destinations, "the delivery destinations")
                .map(|more: Vec<_>| self.destinations.extend(more))
        } else if let Some(stream) = inner("DeliveryStreamDescription") {
            parse(stream, "the delivery stream").map(|stream| self.streams.push(stream))
        } else {
            let config = inner("RealtimeLogConfig")?;
            parse(config, "the real-time log configuration").map(|config| self.real_time_configs.push(config))
        })
    }

    /// The deliveries of a distribution, with their destinations where these are known. `None`
    /// without the documents.
    pub(super) fn deliveries_of(
        &self,
        distribution_id: &str,
    ) -> Option<Vec<(&Delivery, Option<&Destination>)>> {
        let (sources, deliveries) = (self.sources.as_ref()?, self.deliveries.as_ref()?);
        let suffix = format!(":distribution/{distribution_id}");
        let is_its = |source: &&Source| source.resource_arns.iter().any(|arn| arn.ends_with(&suffix));
        let names: Vec<&str> = sources.iter().filter(is_its).map(|source| source.name.as_str()).collect();
        let destination =
            |delivery: &Delivery| self.destinations.iter().find(|it| it.arn == delivery.destination_arn);
        let its = deliveries.iter().filter(|delivery| names.contains(&delivery.source.as_str()));
        Some(its.map(|delivery| (delivery, destination(delivery))).collect())
    }
}

fn parse<T: DeserializeOwned>(json: Value, document: &'static str) -> Result<T, WrongForm> {
    serde_json::from_value(json).map_err(|cause| (document, cause))
}
