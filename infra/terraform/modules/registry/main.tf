# One registry for all environments: production runs the very image, by digest, that staging ran.
module "key" {
  source  = "../key"
  name    = var.name
  purpose = "images"
}

resource "aws_ecr_repository" "this" {
  for_each             = toset(["server", "trainer"])
  name                 = "${var.name}/${each.key}"
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = module.key.arn
  }
}

# About a year of merges. Only images with a tag count, so signatures stay as long as what they sign.
resource "aws_ecr_lifecycle_policy" "this" {
  for_each   = aws_ecr_repository.this
  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "the newest 300"
      selection    = { tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = 300 }
      action       = { type = "expire" }
    }]
  })
}
