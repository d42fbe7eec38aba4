/** The partition a region lies in (aws-facts §10; the prefixes are those of AWS's partitions.json). */
export function partitionOf(region: string): string {
	if (region.startsWith("cn-")) return "aws-cn";
	if (region.startsWith("us-gov-")) return "aws-us-gov";
	if (region.startsWith("eusc-")) return "aws-eusc";
	if (region.startsWith("us-iso-")) return "aws-iso";
	if (region.startsWith("us-isob-")) return "aws-iso-b";
	if (region.startsWith("eu-isoe-")) return "aws-iso-e";
	if (region.startsWith("us-isof-")) return "aws-iso-f";
	return "aws";
}

/** Where a partition's IAM is signed for, and where alone its events appear (aws-facts §10, §5.1). */
const IAM_REGIONS: Readonly<Record<string, string>> = {
	aws: "us-east-1",
	"aws-cn": "cn-north-1",
	"aws-us-gov": "us-gov-west-1",
	"aws-eusc": "eusc-de-east-1",
	"aws-iso": "us-iso-east-1",
	"aws-iso-b": "us-isob-east-1",
	"aws-iso-e": "eu-isoe-west-1",
	"aws-iso-f": "us-isof-south-1",
};

export function iamRegion(partition: string): string {
	return IAM_REGIONS[partition] ?? "us-east-1";
}
