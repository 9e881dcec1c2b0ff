// Decodes records with Confluent's own JavaScript client, as somebody else's program would.
// Reads lines "<topic> <hex of the record>", writes one line of JSON for each.
import {createInterface} from 'node:readline';
import {SchemaRegistryClient, AvroDeserializer, SerdeType} from '@confluentinc/schemaregistry';

const registry = new SchemaRegistryClient({baseURLs: [process.argv[2]]});
const deserializer = new AvroDeserializer(registry, SerdeType.VALUE, {});
for await (const line of createInterface({input: process.stdin})) {
  const [topic, hex] = line.split(' ');
  const event = await deserializer.deserialize(topic, Buffer.from(hex, 'hex'));
  console.log(JSON.stringify(event, (_, value) => typeof value === 'bigint' ? Number(value) : value));
}
process.exit(0);
