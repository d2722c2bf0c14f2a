// Crops pictures by smartcrop.js: reads JSON from stdin, [{width, height, data: RGBA in base64, ratios: [...]}, ...], and
// writes for each picture its best crop of each ratio to stdout, [[{x, y, width, height}, ...], ...].
//   node smartcrop.mjs <folder of node_modules>
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(path.resolve(process.argv[2]), "package.json"));
const smartcrop = require("smartcrop");

// Pictures come at the size that smartcrop.js would reduce them to, so nothing is resampled here.
const imageOperations = {
  open: async (image) => image,
  resample: async (image) => image,
  getData: async (image) => image,
};
const answers = [];
for (const { width, height, data, ratios } of JSON.parse(fs.readFileSync(0))) {
  const image = { width, height, data: new Uint8ClampedArray(Buffer.from(data, "base64")) };
  const found = [];
  for (const ratio of ratios) {
    const size = { width: 1000 * ratio, height: 1000 };
    found.push((await smartcrop.crop(image, { ...size, imageOperations })).topCrop);
  }
  answers.push(found);
}
console.log(JSON.stringify(answers));
