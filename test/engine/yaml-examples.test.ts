import { describeExamples } from "./language-examples.js";

describeExamples("yaml");
