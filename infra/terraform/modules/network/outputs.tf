output "vpc_id" {
  value = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "For nodes."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "data_subnet_ids" {
  description = "For stores."
  value       = [for zone in var.zones : aws_subnet.data[zone].id]
}
