# Managed node groups and the Cluster Autoscaler rather than Karpenter: a few pools of one shape each are all that is
# needed, this plan says which are spot and tainted (so a test and a review can see it), EKS itself drains a spot node that
# is about to be taken, and one Deployment is all that has to run for it.
locals {
  # pipelines/compute.py places steps by these names.
  spot_label = "adloop/capacity"
  gpu_taint  = "nvidia.com/gpu"
}

resource "aws_eks_node_group" "this" {
  for_each        = var.pools
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = each.key
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = var.subnet_ids
  capacity_type   = each.value.spot ? "SPOT" : "ON_DEMAND"
  instance_types  = each.value.instance_types
  ami_type        = each.value.gpu ? "AL2023_x86_64_NVIDIA" : "AL2023_x86_64_STANDARD"
  labels = merge(
    { "adloop/pool" = each.key },
    each.value.spot ? { (local.spot_label) = "spot" } : {},
    each.value.gpu ? { "nvidia.com/gpu.present" = "true" } : {}, # where NVIDIA's device plugin runs
  )

  scaling_config {
    min_size     = each.value.min
    max_size     = each.value.max
    desired_size = each.value.min
  }

  launch_template {
    id      = aws_launch_template.node[each.key].id
    version = aws_launch_template.node[each.key].latest_version
  }

  update_config {
    max_unavailable = 1
  }

  dynamic "taint" {
    for_each = each.value.spot ? [local.spot_label] : []
    content {
      key    = taint.value
      value  = "spot"
      effect = "NO_SCHEDULE"
    }
  }

  dynamic "taint" {
    for_each = each.value.gpu ? [local.gpu_taint] : []
    content {
      key    = taint.value
      value  = "present"
      effect = "NO_SCHEDULE"
    }
  }

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size] # the autoscaler's
  }

  depends_on = [aws_iam_role_policy_attachment.node]
}

resource "aws_launch_template" "node" {
  for_each = var.pools
  name     = "${var.name}-${each.key}"

  # One hop: a pod cannot reach the node's credentials and has those of its own account only.
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_type           = "gp3"
      volume_size           = each.value.disk_gib
      encrypted             = true
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = "${var.name}-${each.key}" }
  }
}

resource "aws_iam_role" "node" {
  name = "${var.name}-node"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each   = toset(["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly"])
  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

# EKS itself tags the groups with the cluster's name; the autoscaler may resize those and no others.
module "autoscaler" {
  source    = "../account"
  name      = "${var.name}-autoscaler"
  oidc      = local.oidc
  namespace = "kube-system"
  account   = "cluster-autoscaler"
}

resource "aws_iam_role_policy" "autoscaler" {
  name = "resize"
  role = module.autoscaler.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = [
          "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances",
          "autoscaling:DescribeLaunchConfigurations", "autoscaling:DescribeScalingActivities",
          "ec2:DescribeImages", "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplateVersions",
          "ec2:GetInstanceTypesFromInstanceRequirements",
        ]
        Resource = "*"
      },
      {
        # Labels and taints of a pool without nodes.
        Effect   = "Allow"
        Action   = "eks:DescribeNodegroup"
        Resource = "${replace(aws_eks_cluster.this.arn, ":cluster/", ":nodegroup/")}/*"
      },
      {
        Effect    = "Allow"
        Action    = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:ResourceTag/k8s.io/cluster-autoscaler/${var.name}" = "owned" } }
      },
    ]
  })
}
