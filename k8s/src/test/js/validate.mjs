// Checks rendered manifests against the published schemas of Kubernetes and KEDA: node validate.mjs rendered.yaml
// Run from a folder in which kubernetes-models, @kubernetes-models/keda and js-yaml are installed.
import { readFileSync } from 'node:fs';
import yaml from 'js-yaml';

const packages = { 'keda.sh': '@kubernetes-models/keda' };
const foreign = new Set(['kafka.strimzi.io']);
let failed = 0;
let checked = 0;
for (const doc of yaml.loadAll(readFileSync(process.argv[2], 'utf8'))) {
  if (!doc) continue;
  const [group, version] = doc.apiVersion.includes('/') ? doc.apiVersion.split('/') : ['', doc.apiVersion];
  if (foreign.has(group)) continue;
  try {
    const Model = (await import(`${packages[group] ?? 'kubernetes-models'}/${group ? group + '/' : ''}${version}/${doc.kind}`))[doc.kind];
    new Model(doc).validate();
    checked++;
  } catch (error) {
    failed++;
    console.log(`${doc.kind}/${doc.metadata.name}: ${error.message}`);
  }
}
console.log(`${checked} checked, ${failed} failed`);
process.exit(failed ? 1 : 0);
