// Runs a graph of TensorFlow.js on inputs read from stdin, float32 of shape (pictures, 3, 416, 416), and writes its
// outputs to stdout, float32, picture after picture, in the order that they are named in.
//   node nanodet.mjs <folder of node_modules and the graph> <names of outputs, parted by commas>
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [folder, names] = process.argv.slice(2);
const root = path.resolve(folder);
const require = createRequire(path.join(root, "package.json"));
console.log = console.warn = console.error; // stdout is for numbers

const tf = require("@tensorflow/tfjs-core");
const { loadGraphModel } = require("@tensorflow/tfjs-converter");
const { setWasmPaths } = require("@tensorflow/tfjs-backend-wasm");
setWasmPaths(path.join(root, "node_modules/@tensorflow/tfjs-backend-wasm/dist") + path.sep);
await tf.setBackend("wasm");
await tf.ready();

const graph = JSON.parse(fs.readFileSync(path.join(root, "nanodet.json")));
const weights = fs.readFileSync(path.join(root, "nanodet.bin"));
const model = await loadGraphModel({
  load: async () => ({
    modelTopology: graph.modelTopology,
    signature: graph.signature,
    weightSpecs: graph.weightsManifest.flatMap((group) => group.weights),
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength),
  }),
});

const read = fs.readFileSync(0);
const pictures = new Float32Array(read.buffer.slice(read.byteOffset, read.byteOffset + read.byteLength));
const size = 3 * 416 * 416;
for (let start = 0; start < pictures.length; start += size) {
  const picture = tf.tensor(pictures.subarray(start, start + size), [1, 3, 416, 416]);
  for (const output of model.execute(picture, names.split(","))) {
    fs.writeSync(1, Buffer.from(output.dataSync().buffer.slice(0)));
    output.dispose();
  }
  picture.dispose();
}
